package member

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"weir/internal/lookup"
	"weir/keys"
	"weir/ledger/wire"
)

// joinRecord is the request that an invitation is answered with, as it was
// sealed and signed, and how it fares.
type joinRecord struct {
	itemRecord
	Key     keys.Public     `json:"key"`             // the invitation's
	Seal    keys.SealPublic `json:"seal,omitzero"`   // it is sealed to; zero: the charter's
	Secret  [16]byte        `json:"secret,omitzero"` // of the invitation, to seal it anew
	Name    string          `json:"name,omitempty"`
	Before  [][]byte        `json:"before,omitempty"` // values that were put under the key before
	Expires time.Time       `json:"expires"`
	State   Joining         `json:"state"`
}

// joining is the state of answering an invitation.
type joining struct {
	state   Joining
	record  joinRecord
	timer   func()
	retries int
	nodes   int // that acknowledged the request
}

// requestSeq is the seq of a join request: nodes keep the first one. One that is
// sealed anew, since the manager's key was replaced, has the next.
const requestSeq = 1

// errTaken: another request lies where ours belongs.
var errTaken = errors.New("somebody else used this invitation")

// openJoin goes on with an invitation, or begins to answer one.
func (m *Member) openJoin() {
	if _, err := m.desk.Account(); !errors.Is(err, ErrNotAdmitted) {
		m.admitted()
		return
	}
	rec, ok, err := readRecord[joinRecord](m.store, keyJoin)
	if in := m.cfg.Invitation; err == nil && in != nil && (!ok || rec.Key != m.inviteKey(in)) {
		rec, err = m.request(joinRecord{Secret: in.Secret, Expires: in.Expires, Name: m.cfg.Name})
		ok = true
	}
	if err == nil && ok && rec.State == Asking && rec.Secret != [16]byte{} && m.sealKey() != rec.Seal {
		rec, err = m.request(rec) // the manager's key was replaced
	}
	if err != nil {
		m.problem = fmt.Sprintf("join: %v", err)
		return
	}
	if ok {
		m.join.record, m.join.state = rec, rec.State
		m.ask()
	}
}

func (m *Member) inviteKey(in *wire.Invitation) keys.Public {
	private := wire.InviteKey(in.Secret, m.store.State().Digest)
	return keys.Public(private.Public().(ed25519.PublicKey))
}

// sealKey is the manager's newest.
func (m *Member) sealKey() keys.SealPublic { return m.terms().Newest().Seal }

// request makes the request, under the seq after the one before, and stores it
// before it is put.
func (m *Member) request(rec joinRecord) (joinRecord, error) {
	st := m.store.State()
	var random [32]byte
	if _, err := io.ReadFull(m.ports.Random, random[:]); err != nil {
		return joinRecord{}, err
	}
	private := wire.InviteKey(rec.Secret, st.Digest)
	invite := keys.Public(private.Public().(ed25519.PublicKey))
	seal := m.sealKey()
	value, err := wire.SealJoinRequest(wire.NewJoinRequest(m.cfg.Identity, rec.Name, st.Digest, invite), seal, random)
	if err != nil {
		return joinRecord{}, err
	}
	if rec.Value != nil {
		rec.Before = append(rec.Before, rec.Value)
	}
	it, err := lookup.Sign(private, st.ID.Salt(), max(rec.Seq+1, requestSeq), value)
	if err != nil {
		return joinRecord{}, err
	}
	rec.itemRecord = itemRecord{Value: it.Value, Seq: it.Seq, Sig: it.Sig}
	rec.Key, rec.Seal, rec.State = invite, seal, Asking
	return rec, m.store.Commit(nil, record(keyJoin, rec))
}

// made says whether an item under the invitation's key is of our making.
func (r *joinRecord) made(it *lookup.Item) bool {
	return r.is(it) || slices.ContainsFunc(r.Before, func(v []byte) bool { return bytes.Equal(v, it.Value) })
}

// ask puts the request, unless another lies in its place.
func (m *Member) ask() {
	if m.closed || m.join.state != Asking {
		return
	}
	rec := m.join.record
	if !m.ports.Clock.Now().Before(rec.Expires) {
		m.joined(Lapsed)
		return
	}
	check := func(f lookup.Found) error {
		for _, other := range items(f) {
			if !rec.made(&other) {
				return errTaken
			}
		}
		return nil
	}
	it := rec.item(rec.Key, m.id.Salt())
	m.ports.DHT.Put(lookup.Put{Item: it, Check: check}, guard(m.Follower, m.asked))
}

// asked takes the result: a request that too few nodes hold is put again soon,
// else every ten minutes.
func (m *Member) asked(s lookup.Stored) {
	if m.join.state != Asking {
		return
	}
	defer m.Follower.cfg.Changed()
	if errors.Is(s.Err, errTaken) {
		m.joined(Taken)
		return
	}
	m.join.nodes = s.Acknowledged
	wait := reputBusy
	if s.Acknowledged == 0 || s.Acknowledged*2 < s.Tried {
		if m.join.retries < 6 {
			wait = min(retryMax, retryFirst<<m.join.retries)
			m.join.retries++
		}
	} else {
		m.join.retries = 0
	}
	left := m.join.record.Expires.Sub(m.ports.Clock.Now())
	m.join.timer = m.ports.Clock.After(max(0, min(m.jitter(wait), left)), m.ask)
}

// admitted is called when the log has an account for this key.
func (m *Member) admitted() {
	if m.join.timer != nil {
		m.join.timer()
		m.join.timer = nil
	}
	m.join.state = Admitted
}

// joined ends the asking and writes down how.
func (m *Member) joined(state Joining) {
	m.join.state = state
	m.join.record.State = state
	if err := m.store.Commit(nil, record(keyJoin, m.join.record)); err != nil {
		m.problem = fmt.Sprintf("join: %v", err)
	}
}
