package simtest

import (
	"errors"
	"fmt"
	"time"

	"weir/ledger/wire"
)

var errOff = errors.New("the machine is off")

// Pay signs and hands over a payment to another member.
func (m *Member) Pay(to *Member, amount int64) (uint64, error) {
	n := to.Number()
	if n == 0 {
		// Its own log may be behind.
		if a, ok := m.world.Manager.account(to.id.Public()); ok {
			n = a.Number
		}
	}
	return m.Transfer(wire.Transfer{Postings: []wire.Posting{
		{Account: m.Number(), Amount: -amount}, {Account: n, Amount: amount},
	}}, time.Time{})
}

// Transfer signs and hands over a transfer, and notes that it was signed.
func (m *Member) Transfer(t wire.Transfer, until time.Time) (uint64, error) {
	if !m.on || m.lost() {
		return 0, fmt.Errorf("%s: %w", m.name, errOff)
	}
	m.touch()
	args, err := t.Args()
	if err != nil {
		return 0, err
	}
	number, err := m.Role.Submit(wire.KindTransfer.String(), args, until)
	if err != nil {
		if m.lost() {
			m.attempt = args
		}
		return 0, err
	}
	return number, m.signedHere(number)
}

// Applied says whether the member's own log has another member's change as
// applied.
func (m *Member) Applied(of *Member, number uint64) bool {
	if m.state == nil {
		return false
	}
	a, ok := m.state.ByKey(of.id.Public())
	if !ok || a.Last < number {
		return false
	}
	d, ok, err := m.store.Find(a.Number, number)
	return err == nil && ok && d.Entry.Verdict == wire.Applied
}
