package host

import (
	"time"

	"weir/ledger"
	"weir/ledger/wire"
	"weir/manager"
)

// InvitationView is one invitation.
type InvitationView struct {
	Number    uint64 `json:"number"`
	ID        string `json:"id"`
	For       string `json:"for,omitempty"` // for whom it is
	State     string `json:"state"`         // open, waiting, used, expired, revoked, rejected
	Made      string `json:"made"`
	Expires   string `json:"expires"`
	Account   uint64 `json:"account,omitempty"` // that came of it
	Name      string `json:"name,omitempty"`    // of the account
	Requested string `json:"requested_name,omitempty"`
	Key       string `json:"requested_key,omitempty"` // of who asks, as text
	Came      string `json:"requested,omitempty"`     // when the request came
	// Alike are members whose names may be taken for the requested one, of a request
	// that waits.
	Alike   []NamedView `json:"alike,omitempty"`
	Reason  string      `json:"reason,omitempty"` // of a rejection
	Problem string      `json:"problem,omitempty"`
	Link    string      `json:"link,omitempty"` // only where it is asked for, and while it is open
}

func viewInvitation(st *ledger.State, i manager.Invitation, now time.Time) InvitationView {
	v := InvitationView{
		Number: i.Number, ID: i.ID(), For: i.For, State: string(i.State(now)), Made: viewTime(i.Made), Expires: viewTime(i.Expires),
		Account: i.Account, Reason: i.Reason, Problem: i.Problem,
	}
	if i.Account != 0 {
		v.Name = nameOf(st, i.Account)
	}
	if r := i.Request; r != nil {
		v.Requested, v.Key, v.Came = r.Name, r.Key.String(), viewTime(r.Came)
	}
	return v
}

func (m *Manager) viewInvitations(all []manager.Invitation) []InvitationView {
	out := []InvitationView{}
	for _, i := range all {
		out = append(out, viewInvitation(m.store.State(), i, time.Now()))
	}
	return out
}

// linked is an invitation with its link.
func (m *Manager) linked(i manager.Invitation) (InvitationView, error) {
	v := viewInvitation(m.store.State(), i, time.Now())
	link, err := wire.Invitation{DatabaseLink: m.desk.Link(m.bootstrap()), Secret: i.Secret, Expires: i.Expires}.Link()
	v.Link = link
	return v, err
}

// InviteIn makes an invitation.
type InviteIn struct {
	Seconds int64  `json:"seconds"`
	For     string `json:"for,omitempty"`
}

func (m *Manager) invite(in InviteIn) (any, error) {
	all, err := m.inviteAll(InviteAllIn{Seconds: in.Seconds, For: []string{in.For}})
	if err != nil {
		return nil, err
	}
	return all.([]InvitationView)[0], nil
}

// InviteAllIn makes an invitation for each of some people, all or none.
type InviteAllIn struct {
	Seconds int64    `json:"seconds"`
	For     []string `json:"for"` // "" is nobody in particular
}

func (m *Manager) inviteAll(in InviteAllIn) (any, error) {
	made, err := m.desk.InviteAll(time.Duration(in.Seconds)*time.Second, in.For)
	if err != nil {
		return nil, err
	}
	out := []InvitationView{}
	for _, i := range made {
		v, err := m.linked(i)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	m.kick()
	return out, nil
}

// InvitationsIn lists invitations.
type InvitationsIn struct {
	Links bool `json:"links,omitempty"` // only those that are open, with their links
}

func (m *Manager) invitations(in InvitationsIn) (any, error) {
	all, err := m.desk.Invitations()
	if err != nil || !in.Links {
		return m.viewInvitations(all), err
	}
	out := []InvitationView{}
	for _, i := range all {
		if !i.Open(time.Now()) {
			continue
		}
		v, err := m.linked(i)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// RevokeIn names an invitation: by its number, the beginning of its id, or for
// whom it is.
type RevokeIn struct {
	ID string `json:"id"`
}

func (m *Manager) revoke(in RevokeIn) (any, error) {
	i, err := m.desk.Revoke(in.ID)
	if err != nil {
		return nil, err
	}
	return viewInvitation(m.store.State(), i, time.Now()), nil
}

// RevokeOpenIn closes open invitations.
type RevokeOpenIn struct {
	IDs []string `json:"ids,omitempty"` // only these; none: every one
}

func (m *Manager) revokeOpen(in RevokeOpenIn) (any, error) {
	closed, err := m.desk.RevokeOpen(in.IDs...)
	if err != nil {
		return nil, err
	}
	return m.viewInvitations(closed), nil
}
