package manager

import (
	"crypto/ed25519"
	"time"

	"weir/internal/lookup"
	"weir/keys"
	"weir/ledger/wire"
)

// invitePoll is when an open invitation is looked up next: every cycle in its
// first hour, then after a sixtieth of its age.
type invitePoll struct {
	key     keys.Public
	next    time.Time
	request *wire.JoinRequest // the first valid one, until it is admitted
}

// pollInvitations adds the open invitations that are due to a poll.
func (m *Manager) pollInvitations(c *cycle, q *questions) {
	all, err := m.Invitations()
	if err != nil {
		c.report.Problem = err.Error()
		return
	}
	now := m.ports.Clock.Now()
	st := m.Store.State()
	for _, inv := range all {
		if !inv.Open(now) {
			delete(m.invites, inv.Secret)
			continue
		}
		p, ok := m.invites[inv.Secret]
		if !ok {
			k := wire.InviteKey(inv.Secret, st.Digest)
			p = &invitePoll{key: keys.Public(k.Public().(ed25519.PublicKey))}
			m.invites[inv.Secret] = p
		}
		if p.request != nil || now.Before(p.next) {
			continue
		}
		if age := now.Sub(inv.Made); age > time.Hour {
			p.next = now.Add(age / 60)
		}
		q.ask(p.key, nil, func(r lookup.Polled) { m.requested(p, r) })
	}
}

// requested keeps the first valid request that came by an invitation.
func (m *Manager) requested(p *invitePoll, r lookup.Polled) {
	if p.request != nil {
		return
	}
	for _, it := range items(r.Item, r.Conflicts) {
		r, err := wire.OpenJoinRequest(it.Value, m.Identity)
		if err == nil && r.Verify(m.Store.State().Digest, p.key) {
			p.request = &r
			return
		}
	}
}

// requests says whether a request waits.
func (m *Manager) requests() bool {
	for _, p := range m.invites {
		if p.request != nil {
			return true
		}
	}
	return false
}

// admitJoiners gives accounts to those whose requests came, or, where the charter
// wants an approval, keeps the requests for it.
func (m *Manager) admitJoiners(c *cycle) {
	if !m.requests() {
		return
	}
	all, err := m.Invitations()
	if err != nil {
		c.report.Problem = err.Error()
		return
	}
	for _, inv := range all {
		p := m.invites[inv.Secret]
		if p == nil || p.request == nil || !inv.Open(m.ports.Clock.Now()) {
			continue
		}
		r := *p.request
		if m.Store.State().Charter.Approval {
			if _, member := m.Store.State().ByKey(r.Key); !member {
				if err := m.keep(inv, r); err != nil {
					c.report.Problem = err.Error()
					continue
				}
				c.report.Requested++
				p.request = nil
				continue
			}
		}
		before := m.Store.State().Members()
		if _, err := m.accept(inv, r.Key, r.Seal, r.Name); err != nil {
			p.request = nil
			inv.Problem = err.Error()
			if err := m.save(inv); err != nil {
				c.report.Problem = err.Error()
			}
			continue
		}
		c.report.Admitted += m.Store.State().Members() - before
	}
}
