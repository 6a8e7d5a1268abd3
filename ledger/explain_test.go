package ledger

import (
	"strings"
	"testing"

	"weir/ledger/wire"
)

func TestEveryVerdictIsExplainedWithItsAmountsAndWhatToDo(t *testing.T) {
	w := verdictWorld(t) // 1 has 500, 4 its upper limit of 1000
	change := func(a args) *wire.Change { return &wire.Change{Name: a.kind.String(), Args: a.b} }
	for _, c := range []struct {
		verdict wire.Verdict
		account uint64
		change  *wire.Change
		says    []string
	}{
		{wire.Applied, 1, nil, []string{"applied"}},
		{wire.Expired, 1, nil, []string{"too late", "again"}},
		{wire.UnknownHistory, 1, nil, []string{"another history"}},
		{wire.UnknownKind, 1, nil, []string{"newer"}},
		{wire.MalformedArguments, 1, nil, []string{"cannot be read"}},
		{wire.Suspended, 3, nil, []string{"suspended", "receive"}},
		{wire.NotPermitted, 1, change(pay(2, 1, 5)), []string{"own account"}},
		{wire.NotPermitted, 1, change(suspend(2)), []string{"Only the manager"}},
		{wire.NotPermitted, 1, nil, []string{"Only the manager"}},
		{wire.Unbalanced, 1, nil, []string{"sum to zero"}},
		{wire.UnknownAccount, 1, change(pay(1, 99, 5)), []string{"no account 99", "look the member up"}},
		{wire.UnknownAccount, 1, change(pay(1, 0, 5)), []string{"Account 0 is the manager"}},
		{wire.UnknownAccount, 0, change(suspend(98)), []string{"no account 98"}},
		{wire.UnknownAccount, 0, change(resume(97)), []string{"no account 97"}},
		{wire.UnknownAccount, 0, change(limitOf(96, 0, 0)), []string{"no account 96"}},
		{wire.UnknownAccount, 1, nil, []string{"does not exist"}},
		{wire.KeyInUse, 0, nil, []string{"One key is one account"}},
		{wire.NameInUse, 0, nil, []string{"Choose another"}},
		{wire.InvalidLimits, 0, nil, []string{"zero or less"}},
		{wire.BelowLowerLimit, 1, change(pay(1, 2, 700)), []string{"To pay 7.00 HRS", "balance is 5.00 HRS", "below -1.00 HRS", "at most 6.00 HRS", "Pay less"}},
		{wire.BelowLowerLimit, 1, nil, []string{"balance is 5.00 HRS", "at most 6.00 HRS"}},
		{wire.BelowLowerLimit, 99, nil, []string{"lower limit"}},
		{wire.AboveUpperLimit, 1, change(pay(1, 4, 5)), []string{memberName(4), "account 4", "more than 10.00 HRS", "at most 0.00 HRS"}},
		{wire.AboveUpperLimit, 1, nil, []string{"upper limit", "Pay less"}},
		{wire.Verdict(200), 1, nil, []string{"refused"}},
	} {
		got := w.state.Explain(c.verdict, c.account, c.change)
		for _, want := range c.says {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q does not say %q", c.verdict, got, want)
			}
		}
		if !strings.HasSuffix(got, ".") {
			t.Errorf("%s: %q is no sentence", c.verdict, got)
		}
	}
}

func TestArgumentsThatDoNotDecodeAreExplainedWithoutThem(t *testing.T) {
	w := verdictWorld(t)
	for _, name := range []string{"transfer", "limit", "suspend", "resume", "other"} {
		c := &wire.Change{Name: name, Args: []byte("d1:xi1ee")}
		for v := wire.Applied; v <= wire.AboveUpperLimit; v++ {
			if w.state.Explain(v, 1, c) == "" {
				t.Errorf("%s of %s: nothing", v, name)
			}
		}
	}
}
