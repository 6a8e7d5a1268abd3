package wire

import (
	"bytes"
	"errors"
	"fmt"

	"weir/keys"
)

// DatabaseKind is what a database is.
type DatabaseKind string

// KindLedger is a zero-sum ledger, the one kind so far.
const KindLedger DatabaseKind = "ledger"

// kindCatalogue is reserved.
const kindCatalogue DatabaseKind = "catalogue"

// charterReserved are the keys of later charters: private, moderators,
// fields, rules, access list.
var charterReserved = []string{"al", "f", "mo", "p", "ru"}

// Charter is the founding document of a database: the value of an immutable
// BEP-44 item, whose target is the database's ID.
//
//	d1:Vi1e
//	1:c  i<created, Unix ms>e
//	1:e  i1e                   encrypted; absent: readable
//	1:h  i<heartbeat, seconds>e
//	1:j  i1e                   join by approval; absent: by an invitation alone
//	1:k  6:ledger
//	1:l  i<lower limit>e
//	2:lk 32:<log key>
//	2:mk 32:<manager's publish key>
//	1:n  <name>
//	1:q  i<quota>e
//	2:rk 32:<recovery key>
//	1:s  i<scale>e
//	2:sk 32:<manager's seal key>
//	2:st i<stale, seconds>e
//	1:u  i<upper limit>e
//	2:un <unit>
//	e
type Charter struct {
	Kind         DatabaseKind
	Encrypted    bool   // only who has the read key can read the entries
	Approval     bool   // who has an invitation is admitted once the manager says so
	Name         string // see CheckName
	Manager      keys.Public
	Log          keys.LogPublic
	Seal         keys.SealPublic
	Recovery     keys.Public
	Created      int64  // Unix ms
	Unit         string // 1-8 ASCII letters
	Scale        int    // 0-9 decimal places
	Lower, Upper int64  // limits of a new account, minor units; Lower ≤ 0 ≤ Upper
	Quota        int    // entries a member and day, 1-1,000,000
	Heartbeat    int    // seconds between heads when nothing changes, 60 to a week
	Stale        int    // seconds after which readers warn of an old head; Heartbeat to a year
}

// Encode gives the charter's bytes, at most ItemBytesMax.
func (c *Charter) Encode() ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("write a charter: %w", err)
	}
	return c.bytes(), nil
}

// ParseCharter reads a charter. That the bytes are those of the wanted
// database is for the caller to check: CharterID, CharterDigest.
func ParseCharter(b []byte) (*Charter, error) {
	c, err := parseCharter(b)
	if err != nil {
		return nil, fmt.Errorf("read a charter: %w", err)
	}
	return c, nil
}

func parseCharter(b []byte) (*Charter, error) {
	if len(b) > ItemBytesMax {
		return nil, fmt.Errorf("%d bytes where an item has %d at most", len(b), ItemBytesMax)
	}
	if err := charterNewer(b); err != nil {
		return nil, err
	}
	var c Charter
	r := reader{b: b}
	r.open('d')
	r.version()
	r.key("c")
	c.Created = r.int(0, IntMax)
	if c.Encrypted = r.optional("e"); c.Encrypted {
		r.int(1, 1)
	}
	r.key("h")
	c.Heartbeat = int(r.int(HeartbeatMin, HeartbeatMax))
	if c.Approval = r.optional("j"); c.Approval {
		r.int(1, 1)
	}
	r.key("k")
	c.Kind = DatabaseKind(r.bytes(1, KindNameBytesMax))
	r.key("l")
	c.Lower = r.int(-IntMax, 0)
	r.key("lk")
	r.fixed(c.Log[:])
	r.key("mk")
	r.fixed(c.Manager[:])
	r.key("n")
	c.Name = string(r.bytes(1, NameBytesMax))
	r.key("q")
	c.Quota = int(r.int(1, QuotaMax))
	r.key("rk")
	r.fixed(c.Recovery[:])
	r.key("s")
	c.Scale = int(r.int(0, ScaleMax))
	r.key("sk")
	r.fixed(c.Seal[:])
	r.key("st")
	c.Stale = int(r.int(HeartbeatMin, StaleMax))
	r.key("u")
	c.Upper = r.int(0, IntMax)
	r.key("un")
	c.Unit = string(r.bytes(1, UnitBytesMax))
	r.close()
	if err := r.end(); err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if !bytes.Equal(c.bytes(), b) {
		return nil, errNotCanonical
	}
	return &c, nil
}

// errNotCanonical cannot be met as long as the readers are strict; it keeps
// the promise should one not be.
var errNotCanonical = errors.New("not in its one form")

// charterNewer finds a later version, or in a whole dict a later kind, a later
// join policy or a reserved key, so that people hear that they need a newer weir and not that
// the charter is damaged.
func charterNewer(b []byte) error {
	r := reader{b: b}
	r.open('d')
	r.version()
	if r.err != nil {
		return r.err
	}
	if err := CheckBencode(b); err != nil {
		return err
	}
	for r.more() {
		key := string(r.bytes(0, stringBytesMax))
		for _, reserved := range charterReserved {
			if key == reserved {
				return fmt.Errorf("key %q: %w", key, ErrNewer)
			}
		}
		value := r.raw()
		if key == "k" && bytes.Equal(value, String([]byte(kindCatalogue))) {
			return fmt.Errorf("a catalogue: %w", ErrNewer)
		}
		if key == "j" && laterPolicy(value) {
			return fmt.Errorf("a join policy %s: %w", value, ErrNewer)
		}
	}
	r.close()
	return r.end()
}

// laterPolicy says whether a canonical value is a join policy with a number above
// those of today.
func laterPolicy(value []byte) bool {
	r := reader{b: value}
	n := r.int(0, IntMax)
	return r.end() == nil && n > 1
}

func (c *Charter) bytes() []byte {
	w := writer{make([]byte, 0, 400)}
	w.dict()
	w.version()
	w.keyInt("c", c.Created)
	if c.Encrypted {
		w.keyInt("e", 1)
	}
	w.keyInt("h", int64(c.Heartbeat))
	if c.Approval {
		w.keyInt("j", 1)
	}
	w.keyText("k", string(c.Kind))
	w.keyInt("l", c.Lower)
	w.keyBytes("lk", c.Log[:])
	w.keyBytes("mk", c.Manager[:])
	w.keyText("n", c.Name)
	w.keyInt("q", int64(c.Quota))
	w.keyBytes("rk", c.Recovery[:])
	w.keyInt("s", int64(c.Scale))
	w.keyBytes("sk", c.Seal[:])
	w.keyInt("st", int64(c.Stale))
	w.keyInt("u", c.Upper)
	w.keyText("un", c.Unit)
	w.end()
	return w.b
}

func (c *Charter) check() error {
	if c.Kind != KindLedger {
		return fmt.Errorf("the kind %.16q is not known", c.Kind)
	}
	if err := CheckName(c.Name); err != nil {
		return err
	}
	if err := checkUnit(c.Unit); err != nil {
		return err
	}
	if err := checkTime("created", c.Created); err != nil {
		return err
	}
	if err := checkKeys(c.Manager, c.Log, c.Seal); err != nil {
		return err
	}
	if err := checkKey("recovery", c.Recovery); err != nil {
		return err
	}
	switch {
	case c.Recovery == c.Manager:
		return errors.New("recovery key and manager's key are the same")
	case keys.LogPublic(c.Recovery) == c.Log:
		return errors.New("recovery key and log key are the same")
	case c.Scale < 0 || c.Scale > ScaleMax:
		return fmt.Errorf("the scale %d is not between 0 and %d", c.Scale, ScaleMax)
	case c.Lower < -IntMax || c.Lower > 0 || c.Upper < 0 || c.Upper > IntMax:
		return fmt.Errorf("the limits %d and %d do not have zero between them, or are 2^53 or more", c.Lower, c.Upper)
	case c.Quota < 1 || c.Quota > QuotaMax:
		return fmt.Errorf("the quota %d is not between 1 and %d", c.Quota, QuotaMax)
	case c.Heartbeat < HeartbeatMin || c.Heartbeat > HeartbeatMax:
		return fmt.Errorf("the heartbeat %d s is not between %d and %d", c.Heartbeat, HeartbeatMin, HeartbeatMax)
	case c.Stale < c.Heartbeat || c.Stale > StaleMax:
		return fmt.Errorf("stale, %d s, is not between the heartbeat and %d", c.Stale, StaleMax)
	}
	return nil
}

// checkKey refuses the zero key, which is what a forgotten field looks like.
func checkKey[K ~[32]byte](what string, k K) error {
	if k == (K{}) {
		return fmt.Errorf("the %s key is zero", what)
	}
	if smallOrder(k) {
		return fmt.Errorf("the %s key is of small order: anybody could sign under it", what)
	}
	return nil
}

// checkKeys checks the three keys that a manager publishes under.
func checkKeys(manager keys.Public, log keys.LogPublic, seal keys.SealPublic) error {
	if err := checkKey("manager's", manager); err != nil {
		return err
	}
	if err := checkKey("log", log); err != nil {
		return err
	}
	if err := checkSeal(seal); err != nil {
		return err
	}
	if keys.LogPublic(manager) == log {
		return errors.New("log key and manager's key are the same")
	}
	return nil
}
