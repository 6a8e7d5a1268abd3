package ledger

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"weir/keys"
	"weir/ledger/wire"
)

// model is the ledger in a few lines: balances, limits, who is suspended.
type model struct {
	balance   map[uint64]int64
	limits    map[uint64]wire.Limits
	suspended map[uint64]bool
}

// apply plays an applied entry's effect, as a light reader would.
func (m *model) apply(t *rapid.T, e wire.Entry) {
	switch e.Kind {
	case wire.KindTransfer:
		effect, err := wire.ParseTransferEffect(e.Effect)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range effect.Postings {
			m.balance[p.Account] += p.Amount
			l := m.limits[p.Account]
			if p.Amount < 0 && (m.balance[p.Account] < l.Lower || m.suspended[p.Account] || p.Account != e.Account) ||
				p.Amount > 0 && m.balance[p.Account] > l.Upper {
				t.Fatalf("entry %+v moves account %d to %d", e, p.Account, m.balance[p.Account])
			}
		}
	case wire.KindLimit:
		effect, err := wire.ParseLimitEffect(e.Effect)
		if err != nil {
			t.Fatal(err)
		}
		m.limits[effect.Account] = effect.Limits
	case wire.KindSuspend, wire.KindResume:
		effect, err := wire.ParseAccountEffect(e.Effect)
		if err != nil {
			t.Fatal(err)
		}
		m.suspended[effect.Account] = e.Kind == wire.KindSuspend
	}
	var sum int64
	for _, b := range m.balance {
		sum += b
	}
	if sum != 0 {
		t.Fatalf("after entry %+v the balances sum to %d", e, sum)
	}
}

func TestWhateverIsAskedForTheLedgerAgreesWithItsModel(t *testing.T) { both(t, agreesWithItsModel) }

func agreesWithItsModel(t *testing.T, key *keys.ReadKey) {
	const members = 5
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorldCut(t, key, members, 3000)
		m := &model{map[uint64]int64{}, map[uint64]wire.Limits{}, map[uint64]bool{}}
		for n := uint64(1); n <= members; n++ {
			m.limits[n] = wire.Limits{Lower: lower, Upper: upper}
		}
		account := rapid.Uint64Range(0, members+1)
		amount := rapid.OneOf(rapid.Int64Range(-30, 60), rapid.Int64Range(-wire.IntMax, wire.IntMax))
		for range rapid.IntRange(1, 6).Draw(rt, "batches") {
			w.now += rapid.Int64Range(0, 100_000).Draw(rt, "pause")
			var queues []Queue
			for n := uint64(0); n <= members; n++ {
				var changes [][]byte
				for range rapid.IntRange(0, 3).Draw(rt, "changes") {
					changes = append(changes, w.change(drawArgs(rt, n, account, amount)))
				}
				queues = append(queues, w.queue(n, changes...))
			}
			before := map[uint64]uint64{}
			for _, a := range w.state.Accounts() {
				before[a.Number] = a.Last
			}
			b := w.merge(queues...)
			if b == nil {
				continue
			}
			for _, d := range b.Entries {
				if d.Entry.Number != before[d.Entry.Account]+1 {
					rt.Fatalf("account %d: number %d after %d", d.Entry.Account, d.Entry.Number, before[d.Entry.Account])
				}
				before[d.Entry.Account]++
				if d.Entry.Verdict == wire.Applied {
					m.apply(rt, d.Entry)
				}
			}
			for n := uint64(1); n <= members; n++ {
				a, _ := w.state.Account(n)
				if a.Balance != m.balance[n] || a.Limits != m.limits[n] || a.Suspended != m.suspended[n] {
					rt.Fatalf("account %+v, and the model has %d, %v, %v", a, m.balance[n], m.limits[n], m.suspended[n])
				}
			}
		}
	})
}

// drawArgs draws what account n may ask for, mostly sensible.
func drawArgs(t *rapid.T, n uint64, account *rapid.Generator[uint64], amount *rapid.Generator[int64]) args {
	if n != 0 || rapid.IntRange(0, 9).Draw(t, "manager pays") == 0 {
		first := amount.Draw(t, "amount")
		postings := []wire.Posting{posting(account.Draw(t, "receiver"), first), posting(n, -first)}
		if rapid.Bool().Draw(t, "three") {
			second := rapid.Int64Range(-5, 20).Draw(t, "second amount")
			if first-second >= -wire.IntMax && first-second <= wire.IntMax {
				postings[0].Amount -= second
				postings = append(postings, posting(account.Draw(t, "second receiver"), second))
			}
		}
		return transferOf("", rapid.Permutation(postings).Draw(t, "postings")...)
	}
	a := account.Draw(t, "account")
	return rapid.SampledFrom([]args{
		suspend(a), resume(a), resume(a), renameTo(a, memberName(rapid.IntRange(0, 9).Draw(t, "name"))),
		limitOf(a, -rapid.Int64Range(-2, 200).Draw(t, "lower"), rapid.Int64Range(-2, 500).Draw(t, "upper")),
	}).Draw(t, "act")
}

// Refusals and the delays after them hold changes back, and lose none.
func TestEveryChangeGetsOneEntryInTheEnd(t *testing.T) {
	w := newWorld(t, 8)
	waiting := map[uint64][][]byte{}
	for n := uint64(1); n <= 8; n++ {
		for i := range 6 {
			waiting[n] = append(waiting[n], w.change(pay(n, n%8+1, int64(i*40+1))))
		}
	}
	total := 0
	for batch := 0; total < 48; batch++ {
		if batch > 100 {
			t.Fatalf("%d of 48 after %d batches", total, batch)
		}
		w.now += dayMillis
		var queues []Queue
		for n := uint64(1); n <= 8; n++ {
			queues = append(queues, w.queue(n, waiting[n]...))
		}
		b := w.merge(queues...)
		for _, d := range b.Entries {
			n := d.Entry.Account
			if d.Body != nil && !slices.Equal(d.Body.Change, waiting[n][0]) {
				t.Fatalf("entry %d is not of account %d's next change", d.Index, n)
			}
			waiting[n] = waiting[n][1:]
			total++
		}
	}
}
