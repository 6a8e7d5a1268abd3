package host

import (
	"time"

	"weir/ledger"
	"weir/ledger/wire"
	"weir/manager"
)

// quietAfter is how long nobody is wondered about who is not heard of.
const quietAfter = 14 * 24 * time.Hour

func (m *Manager) members() ([]MemberView, error) {
	out := []MemberView{}
	var all []manager.MemberStatus
	if m.role != nil {
		all = m.role.Members()
	} else {
		for _, a := range m.store.State().Accounts() {
			if a.Number != 0 {
				all = append(all, manager.MemberStatus{Account: a})
			}
		}
	}
	for _, l := range all {
		v, err := m.viewMember(l)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (m *Manager) viewMember(l manager.MemberStatus) (MemberView, error) {
	a, c := l.Account, m.store.State().Charter
	v := MemberView{
		AccountView: viewAccount(c, a), Holders: l.Holders, Short: l.Short, Problem: l.Problem, OldKey: l.Earlier,
		Own: a.Limits.Lower != c.Lower || a.Limits.Upper != c.Upper, Earlier: a.EarlierNames(),
	}
	seen, err := m.lastSeen(l)
	if err != nil {
		return v, err
	}
	v.Seen, v.Quiet = viewTime(seen), m.desk.Now().Sub(seen) > quietAfter
	v.Contact, err = m.desk.Contact(a.Number)
	return v, err
}

// lastSeen is when something signed by a member was last met: its outbox, its last
// change in the log, or, before any, its request to join.
func (m *Manager) lastSeen(l manager.MemberStatus) (time.Time, error) {
	seen := time.UnixMilli(l.Account.Admitted)
	if l.Account.Last > 0 {
		e, ok, err := m.store.Find(l.Account.Number, l.Account.Last)
		if err != nil {
			return seen, err
		}
		if at := time.UnixMilli(e.Entry.Time); ok && at.After(seen) {
			seen = at
		}
	}
	if l.Seen.After(seen) {
		seen = l.Seen
	}
	return seen, nil
}

// ContactIn asks how a member is reached, or notes it.
type ContactIn struct {
	Who  string `json:"who"`
	Text string `json:"text,omitempty"`
	Set  bool   `json:"set,omitempty"` // note Text; empty, nothing is kept any more
}

// ContactView is how a member is reached.
type ContactView struct {
	NamedView
	Contact string `json:"contact"`
}

func (m *Manager) contact(in ContactIn) (any, error) {
	a, err := findAccount(m.store.State(), in.Who)
	if err != nil {
		return nil, err
	}
	if in.Set {
		if err := wire.CheckText("contact", in.Text, manager.ContactBytesMax); err != nil {
			return nil, misread("%v", err)
		}
		if err := m.desk.SetContact(a.Number, in.Text); err != nil {
			return nil, err
		}
	}
	v := ContactView{NamedView: viewNamed(a)}
	v.Contact, err = m.desk.Contact(a.Number)
	return v, err
}

// memberList is everybody in the log, as all can read it.
func (a *Agent) memberList(s *seat, _ nothing) (any, error) {
	st := s.open()
	if st == nil {
		return nil, ErrNotInitialised
	}
	state, out := st.State(), []AccountView{}
	for _, acc := range state.Accounts() {
		if acc.Number != 0 {
			out = append(out, viewAccount(state.Charter, acc))
		}
	}
	return out, nil
}

func (m *Manager) rename(in ActIn) (any, error) {
	return m.act(in, func(a ledger.Account) (ledger.Decided, error) {
		if a.Name == in.Name {
			return ledger.Decided{}, refused("%d is called %s already; nothing was done", a.Number, a.Name)
		}
		if ledger.IsNumber(in.Name) {
			return ledger.Decided{}, refused("%q is a number, and a number means an account: take another name. Nothing was done", in.Name)
		}
		if err := wire.CheckMemberName(in.Name); err != nil {
			return ledger.Decided{}, misread("take another name: %v. Nothing was done", err)
		}
		return m.desk.Rename(a.Number, in.Name)
	})
}
