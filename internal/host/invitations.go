package host

import (
	"time"

	"weir/ledger"
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
	code, err := readCode(in.Code)
	if err != nil {
		return nil, err
	}
	a, err := m.desk.AdmitCode(code, nil)
	if err != nil {
		return nil, err
	}
	m.kick()
	return m.answer(a)
}

func readCode(text string) (wire.MemberCode, error) {
	l, err := wire.ParseLink(text)
	if err != nil {
		return wire.MemberCode{}, err
	}
	code, ok := l.(wire.MemberCode)
	if !ok {
		return code, misread("this is not a member code: a member makes one with weir member code")
	}
	return code, nil
}

// RekeyIn gives a member's account to the key of a member code.
type RekeyIn struct {
	Who  string `json:"who"`
	Code string `json:"code"`
}

func (m *Manager) rekey(in RekeyIn) (any, error) {
	a, err := findAccount(m.store.State(), in.Who)
	if err != nil {
		return nil, err
	}
	code, err := readCode(in.Code)
	if err != nil {
		return nil, err
	}
	if _, err := m.desk.Rekey(a.Number, code); err != nil {
		return nil, err
	}
	m.kick()
	a, _ = m.store.State().Account(a.Number)
	return m.answer(a)
}

// answer is an account with the answer for its owner.
func (m *Manager) answer(a ledger.Account) (any, error) {
	answer, err := wire.Answer{DatabaseLink: m.desk.Link(m.bootstrap()), Account: a.Number}.Link()
	if err != nil {
		return nil, err
	}
	return AdmitView{AccountView: viewAccount(m.store.State().Charter, a), Answer: answer}, nil
}
