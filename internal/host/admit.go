package host

import (
	"weir/ledger"
	"weir/ledger/wire"
)

// AdmitIn admits by a member code.
type AdmitIn struct {
	Code string `json:"code"`
}

// AdmitView is the account and the answer for its owner.
type AdmitView struct {
	AccountView
	Answer string `json:"answer"`
	Again  bool   `json:"again,omitempty"` // the account was there before
	// Requested is the name that the code asks for.
	Requested string      `json:"requested_name,omitempty"`
	Alike     []NamedView `json:"alike,omitempty"` // members whose names may be taken for this one's
}

func (m *Manager) admit(in AdmitIn) (any, error) {
	code, err := readCode(in.Code)
	if err != nil {
		return nil, err
	}
	_, again := m.store.State().ByKey(code.Key)
	a, err := m.desk.AdmitCode(code, nil)
	if err != nil {
		return nil, err
	}
	if !again {
		m.kick()
	}
	v, err := m.answer(a, again)
	v.Requested, v.Alike = code.Name, alike(m.store.State(), a, 0)
	return v, err
}

func readCode(text string) (wire.MemberCode, error) {
	l, err := readLink(text)
	if err != nil {
		return wire.MemberCode{}, err
	}
	code, ok := l.(wire.MemberCode)
	if !ok {
		return code, otherKind(l, "a member code", "whoever it is for makes one with weir member code")
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
	return m.answer(a, false)
}

// answer is an account with the answer for its owner.
func (m *Manager) answer(a ledger.Account, again bool) (AdmitView, error) {
	answer, err := wire.Answer{DatabaseLink: m.desk.Link(m.bootstrap()), Account: a.Number}.Link()
	if err != nil {
		return AdmitView{}, err
	}
	return AdmitView{AccountView: viewAccount(m.store.State().Charter, a), Answer: answer, Again: again}, nil
}
