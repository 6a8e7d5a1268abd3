package simtest

import (
	"testing"
	"time"

	"weir/ledger/wire"
)

func TestAManagerKeepsTheChunksOfAMemberWhoIsAway(t *testing.T) {
	t.Parallel()
	const quota, signed = 40, 100 // the rest waits for the next day, beyond what nodes keep by themselves
	w, m := begin(t, Setup{}, ManagerSetup{Quota: quota}, "ada", "bob")
	ada, bob := m[0], m[1]
	for range signed {
		must(ada.Transfer(wire.Transfer{
			Postings: []wire.Posting{{Account: ada.Number(), Amount: -1}, {Account: bob.Number(), Amount: 1}},
			Memo:     "a memo of some length, so that what waits does not fit the item itself",
		}, time.Time{}))(t)
	}
	taken := func() uint64 {
		a, _ := w.Manager.account(ada.id.Public())
		return a.Last
	}
	if !w.RunUntil(20*time.Minute, func() bool { return taken() == quota }) {
		t.Fatalf("%d changes were taken, want %d", taken(), quota)
	}
	w.Run(5 * time.Minute) // time to put what is left
	ada.Off()
	w.Run(4 * time.Hour)
	if taken() != quota {
		t.Fatalf("%d changes were taken in a day, and the quota is %d", taken(), quota)
	}
	w.Manager.Crash() // what it has of the chunks is on the DHT or nowhere
	if err := w.Manager.On(); err != nil {
		t.Fatal(err)
	}
	if !w.RunUntil(50*time.Hour, func() bool { return taken() == signed }) {
		t.Fatalf("%d of %d changes were taken while their sender was away", taken(), signed)
	}
	if err := ada.On(); err != nil {
		t.Fatal(err)
	}
	settle(t, w, 30*time.Minute)
	check(t, w)
}
