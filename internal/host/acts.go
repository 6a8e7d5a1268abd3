package host

import (
	"weir/ledger"
	"weir/ledger/wire"
)

// ActIn is the input of suspend, resume and limit.
type ActIn struct {
	Who    string `json:"who"`
	Name   string `json:"name,omitempty"` // of rename
	Reason string `json:"reason,omitempty"`
	Lower  string `json:"lower,omitempty"` // "" leaves it
	Upper  string `json:"upper,omitempty"`
}

func (m *Manager) suspend(in ActIn) (any, error) {
	return m.act(in, func(a ledger.Account) (ledger.Decided, error) {
		if a.Suspended {
			return ledger.Decided{}, refused("%d %s is suspended already; nothing was done", a.Number, a.Name)
		}
		return m.desk.Suspend(a.Number, in.Reason)
	})
}

func (m *Manager) resume(in ActIn) (any, error) {
	return m.act(in, func(a ledger.Account) (ledger.Decided, error) {
		if !a.Suspended {
			return ledger.Decided{}, refused("%d %s is not suspended; nothing was done", a.Number, a.Name)
		}
		return m.desk.Resume(a.Number, in.Reason)
	})
}

func (m *Manager) limit(in ActIn) (any, error) {
	scale := m.store.State().Charter.Scale
	return m.act(in, func(a ledger.Account) (ledger.Decided, error) {
		limits := a.Limits
		var err error
		if in.Lower != "" {
			if limits.Lower, err = ledger.ParseAmount(in.Lower, scale); err != nil {
				return ledger.Decided{}, misread("--lower: %v", err)
			}
		}
		if in.Upper != "" {
			if limits.Upper, err = ledger.ParseAmount(in.Upper, scale); err != nil {
				return ledger.Decided{}, misread("--upper: %v", err)
			}
		}
		return m.desk.Limit(a.Number, limits)
	})
}

func (m *Manager) act(in ActIn, do func(ledger.Account) (ledger.Decided, error)) (any, error) {
	a, err := findAccount(m.store.State(), in.Who)
	if err != nil {
		return nil, err
	}
	if err := wire.CheckText("reason", in.Reason, wire.ReasonBytesMax); err != nil {
		return nil, misread("--reason: %v; nothing was done", err)
	}
	d, err := do(a)
	if err != nil {
		return nil, err
	}
	m.kick()
	return viewEntry(m.store.State(), d), nil
}
