package simtest

import (
	"testing"
	"time"

	"weir/internal/simnet"
	"weir/ledger/wire"
	"weir/member"
)

// Who needs torrents gets everything although nobody's client is good.
func TestBadTorrentPeersDelayAndStopNobody(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]simnet.Peer{
		"losing":     {Lose: 0.4},
		"stalling":   {Stall: 0.2},
		"corrupting": {Corrupt: 0.3},
		"slow":       {Upload: 4 << 10, Download: 16 << 10},
		"all of it":  {Lose: 0.2, Stall: 0.1, Corrupt: 0.2, Upload: 16 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			w, m := begin(t, Setup{}, ManagerSetup{}, "ada", "bob", "cleo")
			ada, bob, cleo := m[0], m[1], m[2]
			for _, m := range w.machines {
				m.SetPeer(p)
			}
			cleo.Off()
			for i := range 200 {
				must(ada.Pay(bob, 1))(t)
				if i%10 == 9 {
					w.Run(time.Minute)
				}
			}
			w.Run(5 * time.Minute)
			if err := cleo.On(); err != nil {
				t.Fatal(err)
			}
			stranger := w.Reader("a stranger")
			settle(t, w, time.Hour)
			check(t, w)
			for _, s := range []member.Status{cleo.Role.Status().Status, stranger.Role.Status()} {
				if s.Got < 16*wire.ChunkBytes {
					t.Errorf("%d bytes were fetched, as many as chunks hold", s.Got)
				}
			}
		})
	}
}
