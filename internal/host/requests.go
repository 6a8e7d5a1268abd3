package host

import (
	"time"

	"weir/ledger"
)

// RequestsView are the requests to join that wait for approval.
type RequestsView struct {
	Approval bool             `json:"approval"` // the charter wants one
	Waiting  []InvitationView `json:"waiting"`
}

func (m *Manager) requests() (any, error) {
	waiting, err := m.desk.Requests()
	if err != nil {
		return nil, err
	}
	v := RequestsView{Approval: m.store.State().Charter.Approval, Waiting: m.viewInvitations(waiting)}
	for i, w := range v.Waiting {
		v.Waiting[i].Alike = alikeName(m.store.State(), w.Requested, func(ledger.Account) bool { return false })
	}
	return v, nil
}

// ApproveIn admits the one whose request waits.
type ApproveIn struct {
	Request string `json:"request"`
	Name    string `json:"name,omitempty"` // another than is asked for
}

// ApproveView is the new account.
type ApproveView struct {
	AccountView
	Requested string      `json:"requested_name"`
	Alike     []NamedView `json:"alike,omitempty"` // members whose names may be taken for this one's
}

func (m *Manager) approve(in ApproveIn) (any, error) {
	i, a, err := m.desk.Approve(in.Request, in.Name)
	if err != nil {
		return nil, err
	}
	m.kick()
	return ApproveView{AccountView: viewAccount(m.store.State().Charter, a), Requested: i.Request.Name, Alike: alike(m.store.State(), a, 0)}, nil
}

// RejectIn ends an invitation whose request waits.
type RejectIn struct {
	Request string `json:"request"`
	Reason  string `json:"reason,omitempty"`
}

func (m *Manager) reject(in RejectIn) (any, error) {
	i, err := m.desk.Reject(in.Request, in.Reason)
	if err != nil {
		return nil, err
	}
	return viewInvitation(m.store.State(), i, time.Now()), nil
}
