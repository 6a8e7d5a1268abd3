package host

import (
	"time"

	"weir/ledger/wire"
)

// InviteIn makes an invitation.
type InviteIn struct {
	Seconds int64 `json:"seconds"`
}

func (m *Manager) invite(in InviteIn) (any, error) {
	i, err := m.desk.Invite(time.Duration(in.Seconds) * time.Second)
	if err != nil {
		return nil, err
	}
	link, err := wire.Invitation{DatabaseLink: m.desk.Link(m.bootstrap()), Secret: i.Secret, Expires: i.Expires}.Link()
	if err != nil {
		return nil, err
	}
	m.kick()
	v := viewInvitation(m.store.State(), i, time.Now())
	v.Link = link
	return v, nil
}

func (m *Manager) invitations() (any, error) {
	all, err := m.desk.Invitations()
	if err != nil {
		return nil, err
	}
	out := []InvitationView{}
	for _, i := range all {
		out = append(out, viewInvitation(m.store.State(), i, time.Now()))
	}
	return out, nil
}

// RevokeIn names an invitation.
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

// AdmitIn admits by a member code.
type AdmitIn struct {
	Code string `json:"code"`
}

// AdmitView is the new account and the answer for its owner.
type AdmitView struct {
	AccountView
	Answer string `json:"answer"`
}

func (m *Manager) admit(in AdmitIn) (any, error) {
	l, err := wire.ParseLink(in.Code)
	if err != nil {
		return nil, err
	}
	code, ok := l.(wire.MemberCode)
	if !ok {
		return nil, misread("this is not a member code: a member makes one with weir member code")
	}
	a, err := m.desk.AdmitCode(code, nil)
	if err != nil {
		return nil, err
	}
	m.kick()
	answer, err := wire.Answer{DatabaseLink: m.desk.Link(m.bootstrap()), Account: a.Number}.Link()
	if err != nil {
		return nil, err
	}
	return AdmitView{AccountView: viewAccount(m.store.State().Charter, a), Answer: answer}, nil
}
