package simtest

import (
	"fmt"
	"testing"
	"time"

	"weir/internal/simnet"
	"weir/ledger"
	"weir/ledger/wire"
)

func TestSixtyChangesSignedWhileTheManagerIsAwayAreAppliedInOrder(t *testing.T) {
	t.Parallel()
	lossy := simnet.Link{RTT: 100 * time.Millisecond, Jitter: 60 * time.Millisecond, Loss: 0.2}
	for name, link := range map[string]*simnet.Link{"on a good network": nil, "with 20 % loss each way": &lossy} {
		t.Run(name, func(t *testing.T) {
			w, m := begin(t, Setup{Link: link}, ManagerSetup{}, "ada", "bob")
			ada, bob := m[0], m[1]
			w.Manager.Off()
			for i := range 60 {
				must(ada.Transfer(wire.Transfer{
					Postings: []wire.Posting{{Account: ada.Number(), Amount: -int64(i + 1)}, {Account: bob.Number(), Amount: int64(i + 1)}},
					Memo:     fmt.Sprintf("payment %d of 60", i+1),
				}, time.Time{}))(t)
				w.Run(2 * time.Second)
			}
			w.Run(10 * time.Minute)
			if s := ada.Role.Status(); s.Waiting != 60 || s.Nodes == 0 {
				t.Fatalf("%d changes wait at %d nodes, want 60 at some", s.Waiting, s.Nodes)
			}
			before := w.Manager.size
			if err := w.Manager.On(); err != nil {
				t.Fatal(err)
			}
			settle(t, w, 30*time.Minute)
			check(t, w)
			number := uint64(0)
			err := w.Manager.Store().Entries(before, func(d ledger.Decided) bool {
				number++
				if d.Entry.Account != ada.Number() || d.Entry.Number != number || d.Entry.Verdict != wire.Applied {
					t.Errorf("entry %d is number %d of account %d: %s", d.Index, d.Entry.Number, d.Entry.Account, d.Entry.Verdict)
				}
				return true
			})
			if err != nil || number != 60 {
				t.Fatalf("%d entries came, want 60 (%v)", number, err)
			}
			if got := bob.Role.Status().Account.Balance; got != 60*61/2 {
				t.Errorf("bob has %d, want %d", got, 60*61/2)
			}
		})
	}
}

func TestAMemberOffForLongCatchesUp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		payments int
		source   string
	}{
		{"by chunks when little was missed", 10, "chunks of the head"},
		{"by torrent when much was missed", 150, "torrent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, m := begin(t, Setup{}, ManagerSetup{}, "ada", "bob", "cleo")
			ada, bob, cleo := m[0], m[1], m[2]
			settled, _ := cleo.Log()
			cleo.Off()
			for i := range c.payments {
				must(ada.Pay(bob, 1))(t)
				if i%10 == 9 {
					w.Run(time.Minute)
				}
			}
			w.Run(5 * time.Minute)
			if size, _ := cleo.Log(); size != settled {
				t.Fatalf("cleo's log grew while it was off")
			}
			if err := cleo.On(); err != nil {
				t.Fatal(err)
			}
			settle(t, w, 10*time.Minute)
			check(t, w)
			s := cleo.Role.Status()
			if len(s.Source) < len(c.source) || s.Source[:len(c.source)] != c.source {
				t.Errorf("it came by %q, want %q", s.Source, c.source)
			}
			missed := int64(w.Manager.state.Length)
			if s.Got > missed+missed/256+64<<10 {
				t.Errorf("%d bytes were fetched of a stream of %d", s.Got, missed)
			}
		})
	}
}

func TestAReaderWithNothingButTheLinkGetsEverything(t *testing.T) {
	t.Parallel()
	w, m := begin(t, Setup{}, ManagerSetup{}, "ada", "bob")
	for range 40 {
		must(m[0].Pay(m[1], 1))(t)
		w.Run(20 * time.Second)
	}
	settle(t, w, 10*time.Minute)
	r := w.Reader("a stranger")
	settle(t, w, 10*time.Minute)
	check(t, w)
	if r.size != w.Manager.size {
		t.Errorf("it has %d of %d entries", r.size, w.Manager.size)
	}
}
