package manager

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"weir/keys"
	"weir/ledger"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// Desk is what a manager decides by itself: acts of account 0, invitations and
// links. It needs no network, so commands use it directly on the store when no
// manager runs. It belongs to whoever owns the store.
type Desk struct {
	Store    *store.Store
	Identity *keys.Identity
	Random   io.Reader
	Now      func() time.Time

	drifted func() string // a running manager's: how far the clock has leapt meanwhile
}

// ErrNotManager: the key is not the one that the charter, or the newest
// succession, names.
var ErrNotManager = errors.New("this key is not the manager's of this database")

// ErrNotFound: no such account, member or invitation.
var ErrNotFound = errors.New("not found")

// Refused is an act that the rules do not allow. Nothing was written.
type Refused struct {
	Verdict wire.Verdict
	Text    string // what happened, why, and what to do
}

func (r *Refused) Error() string { return r.Text }

// Check says whether the identity is the one that the charter names, or the
// newest succession of the log.
func (d *Desk) Check() error {
	c := d.Store.State().Terms().Newest()
	if c.Manager != d.Identity.Public() || c.Log != d.Identity.LogPublic() || c.Seal != d.Identity.SealPublic() {
		return ErrNotManager
	}
	return nil
}

// Stopped says why this manager has stopped for good; "" when it has not.
func (d *Desk) Stopped() (string, error) {
	why, _, err := readRecord[string](d.Store, keyStopped)
	return why, err
}

// act signs and commits one act of account 0, together with kv.
func (d *Desk) act(name string, args []byte, err error, kv ...store.KV) (ledger.Decided, error) {
	if err != nil {
		return ledger.Decided{}, err
	}
	if err := d.may(); err != nil {
		return ledger.Decided{}, err
	}
	if why := d.clock(); why != "" {
		return ledger.Decided{}, &Refused{Verdict: wire.NotPermitted, Text: why}
	}
	st := d.Store.State()
	c := wire.Change{Name: name, Args: args, Seen: wire.Checkpoint{Size: st.Size, Root: st.Root}.Seen()}
	now := d.Now().UnixMilli()
	if v := st.Preview(0, &c, now, d.Store); v != wire.Applied {
		return ledger.Decided{}, &Refused{Verdict: v, Text: st.Explain(v, 0, &c)}
	}
	b, err := c.Encode()
	if err != nil {
		return ledger.Decided{}, fmt.Errorf("%s: %w", name, err)
	}
	batch, err := st.Merge(ledger.MergeInput{
		Now:     now,
		Queues:  []ledger.Queue{{Account: 0, Changes: []ledger.Candidate{{Change: b}}}},
		Hashes:  d.Store,
		Manager: d,
		Salts:   d.Random,
	})
	if err != nil {
		return ledger.Decided{}, fmt.Errorf("%s: %w", name, err)
	}
	if batch == nil || len(batch.Entries) == 0 {
		return ledger.Decided{}, fmt.Errorf("%s: the merge did not take it", name)
	}
	if err := d.Store.Commit([]*ledger.Batch{batch}, kv...); err != nil {
		return ledger.Decided{}, fmt.Errorf("%s: %w", name, err)
	}
	return batch.Entries[0], nil
}

// Sign signs an act of account 0; it implements ledger.Manager.
func (d *Desk) Sign(number uint64, chain wire.Hash) wire.Signature {
	return signChange(d.Identity, d.Store.State().Digest, number, chain)
}

// Admit gives a key an account. A taken name is made unique by a number behind
// it; taken is also "manager", as account 0 is called in lists. Whoever asked for
// no name, or for one that is a number as accounts have it, is called "member".
func (d *Desk) Admit(key keys.Public, seal keys.SealPublic, name string, limits *wire.Limits, kv ...store.KV) (ledger.Account, error) {
	name = d.uniqueName(name)
	args, err := wire.Admit{Key: key, Seal: seal, Name: name, Limits: limits}.Args()
	if _, err := d.act("admit", args, err, kv...); err != nil {
		return ledger.Account{}, err
	}
	a, ok := d.Store.State().ByKey(key)
	if !ok {
		return ledger.Account{}, fmt.Errorf("admit %s: the log took it and the account is not there", key.Short())
	}
	return a, nil
}

func (d *Desk) uniqueName(name string) string {
	if name == "" || ledger.IsNumber(name) {
		name = "member"
	}
	st := d.Store.State()
	for n, base := 2, name; ; n++ {
		if _, taken := st.ByName(name); !taken && !strings.EqualFold(name, "manager") {
			return name
		}
		suffix := fmt.Sprintf(" %d", n)
		for len(base)+len(suffix) > wire.MemberNameBytesMax {
			base = strings.ToValidUTF8(base[:len(base)-1], "")
		}
		name = strings.TrimRight(base, " ") + suffix
	}
}

// errCode: the name or the seal key in a code was changed after it was made.
var errCode = errors.New("this member code is not signed by the key in it; ask for a new one")

// AdmitCode admits the owner of a member code. Who has an account already keeps
// it, and nothing is done: a code may be shown twice.
func (d *Desk) AdmitCode(c wire.MemberCode, limits *wire.Limits) (ledger.Account, error) {
	if !c.Verify() {
		return ledger.Account{}, errCode
	}
	if a, ok := d.Store.State().ByKey(c.Key); ok && a.Number != 0 {
		return a, nil
	}
	return d.Admit(c.Key, c.Seal, c.Name, limits)
}

// Suspend puts a member in read-only mode: its changes are refused until
// Resume. It can still be paid.
func (d *Desk) Suspend(account uint64, reason string) (ledger.Decided, error) {
	args, err := wire.Suspend{Account: account, Reason: reason}.Args()
	return d.act("suspend", args, err)
}

// Resume ends a suspension.
func (d *Desk) Resume(account uint64, reason string) (ledger.Decided, error) {
	args, err := wire.Resume{Account: account, Reason: reason}.Args()
	return d.act("resume", args, err)
}

// Limit sets a member's limits.
func (d *Desk) Limit(account uint64, limits wire.Limits) (ledger.Decided, error) {
	args, err := wire.Limit{Account: account, Limits: limits}.Args()
	return d.act("limit", args, err)
}

// Rename gives a member another name; the one it had stays its own.
func (d *Desk) Rename(account uint64, name string) (ledger.Decided, error) {
	args, err := wire.Rename{Account: account, Name: name}.Args()
	return d.act("rename", args, err)
}

// Rekey gives an account to the key of a member code. The key that it had signs
// nothing any more.
func (d *Desk) Rekey(account uint64, c wire.MemberCode) (ledger.Decided, error) {
	if !c.Verify() {
		return ledger.Decided{}, errCode
	}
	args, err := wire.Rekey{Account: account, Key: c.Key, Seal: c.Seal}.Args()
	return d.act("rekey", args, err)
}

// Link is the link of the database, for those who may read it.
func (d *Desk) Link(bootstrap []netip.AddrPort) wire.DatabaseLink {
	st := d.Store.State()
	return wire.DatabaseLink{ID: st.ID, Digest: st.Digest.Prefix(), Bootstrap: bootstrap, ReadKey: st.ReadKey}
}
