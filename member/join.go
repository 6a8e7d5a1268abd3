package member

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"time"

	"weir/internal/lookup"
	"weir/keys"
	"weir/ledger/wire"
)

// joinRecord is the request that an invitation is answered with, as it was
// sealed and signed, and how it fares.
type joinRecord struct {
	itemRecord
	Key     keys.Public `json:"key"` // the invitation's
	Expires time.Time   `json:"expires"`
	State   Joining     `json:"state"`
}

// joining is the state of answering an invitation.
type joining struct {
	state   Joining
	record  joinRecord
	timer   func()
	retries int
	nodes   int // that acknowledged the request
}

// requestSeq is the seq of every join request: nodes keep the first one.
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
		rec, err = m.request(in)
		ok = true
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

// request makes the request and stores it before it is put.
func (m *Member) request(in *wire.Invitation) (joinRecord, error) {
	st := m.store.State()
	var random [32]byte
	if _, err := io.ReadFull(m.ports.Random, random[:]); err != nil {
		return joinRecord{}, err
	}
	invite := m.inviteKey(in)
	value, err := wire.SealJoinRequest(wire.NewJoinRequest(m.cfg.Identity, m.cfg.Name, st.Digest, invite), st.Charter.Seal, random)
	if err != nil {
		return joinRecord{}, err
	}
	it, err := lookup.Sign(wire.InviteKey(in.Secret, st.Digest), st.ID.Salt(), requestSeq, value)
	if err != nil {
		return joinRecord{}, err
	}
	rec := joinRecord{
		itemRecord: itemRecord{Value: it.Value, Seq: it.Seq, Sig: it.Sig},
		Key:        invite, Expires: in.Expires, State: Asking,
	}
	return rec, m.store.Commit(nil, record(keyJoin, rec))
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
			if !rec.is(&other) {
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
