package demo

import (
	"fmt"
	"slices"

	"weir/internal/host"
	"weir/ledger"
	"weir/ledger/wire"
)

// judge sees that the log has of the rogues what it should, and no more, and
// that what was counted cycle by cycle is what was done.
func (r *run) judge() error {
	log, err := r.verdicts()
	if err != nil {
		return err
	}
	var now host.ManagerStatusView
	if err := invoke(r.ctx, r.manager.Invoke, "manager status", nil, &now); err != nil {
		return err
	}
	stalls := map[uint64]bool{}
	for _, m := range now.Stalled {
		stalls[m.Account] = true
	}
	otto, rita, fedor := r.hostile[0], r.hostile[1], r.hostile[2]
	for _, c := range []struct {
		of       *rogue
		verdicts []string // of its entries
		stalls   bool     // its outbox, at what got no entry
	}{
		{otto, []string{wire.BelowLowerLimit.String()}, false},
		{rita, []string{wire.Applied.String()}, true},
		{fedor, nil, true},
	} {
		got := log[c.of.account]
		if !slices.Equal(got, c.verdicts) {
			return fmt.Errorf("the log has %q for the changes of %s, not %q", got, c.of.name, c.verdicts)
		}
		if stalls[c.of.account] != c.stalls {
			return fmt.Errorf("the outbox of %s stalls: %v, not %v", c.of.name, !c.stalls, c.stalls)
		}
	}
	accepted, refused := len(r.sent)+1, refusals(r.Cycles)
	if r.summary.Accepted != accepted || r.summary.Refused != refused {
		return fmt.Errorf("%d changes were accepted and %d refused, not %d and %d", r.summary.Accepted, r.summary.Refused, accepted, refused)
	}
	r.summary.Cheats = []Cheat{
		{otto.name, fmt.Sprintf("spent %s %s that nobody has", ledger.FormatAmount(tooMuch, scale), unit), "refused, and the log says so: " + log[otto.account][0]},
		{rita.name, "sent a signed payment twice", "the first was accepted, the copy never"},
		{fedor.name, "forged a payment in every round", "none of it is in the log"},
	}
	return nil
}

// verdicts gives those over each account's changes, in order.
func (r *run) verdicts() (map[uint64][]string, error) {
	all := map[uint64][]string{}
	for next := uint64(1); ; {
		var entries []host.EntryView
		if err := invoke(r.ctx, r.manager.Invoke, "manager log", host.LogIn{First: next}, &entries); err != nil {
			return nil, err
		}
		if len(entries) == 0 {
			return all, nil
		}
		for _, e := range entries {
			if e.Account != 0 {
				all[e.Account] = append(all[e.Account], e.Verdict)
			}
		}
		next = entries[len(entries)-1].Index + 1
	}
}
