package ledger

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"weir/ledger/wire"
)

// Preview is the verdict that a change of an account would get now, before it
// is signed: Applied when it would be taken. Quotas are not looked at
// (Account.NotBefore). Nil hashes mean that only the newest root is known: a
// change that saw another is then not judged by it. Hashes that cannot be read
// give UnknownHistory, an account that does not exist UnknownAccount.
func (s *State) Preview(account uint64, c *wire.Change, now int64, hashes tlog.HashReader) wire.Verdict {
	signer, ok := s.Account(account)
	if !ok {
		return wire.UnknownAccount
	}
	d := &draft{Fixed: s.Fixed, base: s, count: uint64(len(s.accounts))}
	d.tree = &tree{stored: hashes, roots: map[uint64]wire.Hash{s.Size: s.Root}}
	if hashes == nil {
		seen := *c
		seen.Seen = wire.Checkpoint{Size: s.Size, Root: s.Root}.Seen()
		c = &seen
	} else {
		d.tree.first = tlog.StoredHashCount(int64(s.Size))
	}
	_, v, err := d.decide(&signer, c, s.batchTime(now))
	if err != nil {
		return wire.UnknownHistory
	}
	return v
}

// Explain says in a sentence for people what a verdict on a change of an
// account means and what to do. Balances and limits are the state's; c may be
// nil, and then nothing of it is said.
func (s *State) Explain(v wire.Verdict, account uint64, c *wire.Change) string {
	switch v {
	case wire.Applied:
		return "It is applied."
	case wire.Expired:
		return "It came too late: the time until which it was to count has passed. Sign it again if it is still wanted."
	case wire.UnknownHistory:
		return "Its signer had seen another history than this log's. If this device was restored from a copy, take over from the log first; then sign it again."
	case wire.UnknownKind:
		return "It is of a kind that this database's version does not know. A newer weir made it; ask the manager to update."
	case wire.MalformedArguments:
		return "What it asks for cannot be read: the program that made it has a fault."
	case wire.Suspended:
		return "The account is suspended: it can read and receive, but not change anything. Ask the manager why."
	case wire.NotPermitted:
		return s.explainNotPermitted(c)
	case wire.Unbalanced:
		return "The amounts of a transfer must sum to zero, be none of them zero and name no account twice."
	case wire.UnknownAccount:
		return s.explainUnknownAccount(c)
	case wire.KeyInUse:
		return "That key has or had an account, or is one of the manager's own. One key is one account: make a new one."
	case wire.NameInUse:
		return "Another member has that name, or had it before (A-Z and a-z count as alike). Choose another."
	case wire.InvalidLimits:
		return "A lower limit is zero or less, an upper limit zero or more."
	case wire.BelowLowerLimit:
		return s.explainBelow(account, c)
	case wire.AboveUpperLimit:
		return s.explainAbove(c)
	}
	return fmt.Sprintf("It was refused as %s.", v)
}

func (s *State) explainNotPermitted(c *wire.Change) string {
	if c != nil && c.Kind() == wire.KindTransfer {
		return "A member pays from its own account and from no other."
	}
	if c != nil && c.Kind() == wire.KindSucceed {
		return "A succession stands where it says, is newer than every one before it, and is signed by the recovery key. This one is not."
	}
	return "Only the manager may do that."
}

func (s *State) explainUnknownAccount(c *wire.Change) string {
	const advice = "Check the number, or look the member up by name."
	for _, n := range accountsOf(c) {
		if _, ok := s.Account(n); !ok {
			return fmt.Sprintf("There is no account %d. %s", n, advice)
		}
		if n == managerAccount {
			return "Account 0 is the manager: it has no balance, no limits and cannot be suspended. " + advice
		}
	}
	return "It names an account that does not exist. " + advice
}

func (s *State) explainBelow(account uint64, c *wire.Change) string {
	a, ok := s.Account(account)
	if !ok {
		return "The balance would fall below the account's lower limit."
	}
	room := max(a.Balance-a.Limits.Lower, 0)
	text := fmt.Sprintf("The balance is %s and may not fall below %s: at most %s can be paid.",
		s.amount(a.Balance), s.amount(a.Limits.Lower), s.amount(room))
	if paid := -amountFor(c, account); paid > 0 {
		text = fmt.Sprintf("To pay %s is too much. %s", s.amount(paid), text)
	}
	return text + " Pay less, wait until somebody pays you, or ask the manager for another limit."
}

func (s *State) explainAbove(c *wire.Change) string {
	for _, n := range accountsOf(c) {
		a, ok := s.Account(n)
		paid := amountFor(c, n)
		if !ok || paid <= 0 || a.Balance+paid <= a.Limits.Upper {
			continue
		}
		room := max(a.Limits.Upper-a.Balance, 0)
		return fmt.Sprintf("%s (account %d) may not hold more than %s and can receive at most %s now. Pay less, or later.",
			a.Name, n, s.amount(a.Limits.Upper), s.amount(room))
	}
	return "The receiver's balance would rise above its upper limit. Pay less, or later."
}

// amount writes minor units for people, with the unit.
func (s *State) amount(minor int64) string {
	return FormatAmount(minor, s.Charter.Scale) + " " + s.Charter.Unit
}

// accountsOf is the accounts that a change names, as far as it decodes.
func accountsOf(c *wire.Change) []uint64 {
	if c == nil {
		return nil
	}
	switch c.Kind() {
	case wire.KindTransfer:
		t, _ := wire.ParseTransfer(c.Args)
		var numbers []uint64
		for _, p := range t.Postings {
			numbers = append(numbers, p.Account)
		}
		return numbers
	case wire.KindLimit:
		if l, err := wire.ParseLimit(c.Args); err == nil {
			return []uint64{l.Account}
		}
	case wire.KindRename:
		if n, err := wire.ParseRename(c.Args); err == nil {
			return []uint64{n.Account}
		}
	case wire.KindRekey:
		if k, err := wire.ParseRekey(c.Args); err == nil {
			return []uint64{k.Account}
		}
	case wire.KindSuspend, wire.KindResume: // of one form
		if a, err := wire.ParseSuspend(c.Args); err == nil {
			return []uint64{a.Account}
		}
	}
	return nil
}

// amountFor is what a transfer moves into an account.
func amountFor(c *wire.Change, account uint64) int64 {
	if c == nil || c.Kind() != wire.KindTransfer {
		return 0
	}
	t, _ := wire.ParseTransfer(c.Args)
	for _, p := range t.Postings {
		if p.Account == account {
			return p.Amount
		}
	}
	return 0
}
