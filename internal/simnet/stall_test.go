package simnet

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"weir/internal/seed"
	"weir/ledger/wire"
)

func TestAFetchWithoutGoodTorrentPeersStalls(t *testing.T) {
	data, info := volume(200_000)
	rubbish := bytes.Clone(data)
	rubbish[100] ^= 1
	for name, prepare := range map[string]func(f *flock){
		"nobody":               func(f *flock) {},
		"one that is mute":     func(f *flock) { f.serve(t, f.join(Peer{Stall: 1}), info, data) },
		"one of wrong bytes":   func(f *flock) { f.serve(t, f.join(Peer{}), info, rubbish) },
		"one with fewer bytes": func(f *flock) { f.serve(t, f.join(Peer{}), info, data[:100_000]) },
		"one that nobody met": func(f *flock) {
			f.serve(t, f.all.Join(f.net.Endpoint(nil), Peer{}), info, data)
		},
		"one in another part": func(f *flock) {
			s := f.join(Peer{})
			f.serve(t, s, info, data)
			f.net.Partition(1, s.end)
		},
		"one that dies": func(f *flock) {
			s := f.join(Peer{Upload: 100_000})
			f.serve(t, s, info, data)
			f.After(time.Second, s.end.Kill)
		},
	} {
		f := newFlock(Link{RTT: 100 * time.Millisecond})
		prepare(f)
		if r, _, took := f.fetch(t, f.join(Peer{}), data, info, 0); !errors.Is(r.Err, seed.ErrStalled) || took < stallDefault {
			t.Errorf("%s: %v after %v", name, r.Err, took)
		}
	}
}

func TestAFetchOfWhichNothingComesIsGivenUpAfterFirst(t *testing.T) {
	data, info := volume(200_000)
	const first = 5 * time.Second
	for _, c := range []struct {
		name        string
		prepare     func(f *flock)
		least, most time.Duration
	}{
		{"nobody", func(f *flock) {}, first, first},
		{"one of wrong bytes", func(f *flock) { f.serve(t, f.join(Peer{}), info, bytes.Repeat([]byte{7}, len(data))) }, first, first + time.Second},
		{"one that dies after a piece", func(f *flock) {
			s := f.join(Peer{Upload: 100_000})
			f.serve(t, s, info, data)
			f.After(time.Second, s.end.Kill)
		}, stallDefault, stallDefault + time.Second},
	} {
		f := newFlock(Link{RTT: 100 * time.Millisecond})
		c.prepare(f)
		begun, m := f.Elapsed(), &memory{b: make([]byte, len(data))}
		var took time.Duration
		f.join(Peer{}).Fetch(seed.Fetch{
			Infohash: wire.Infohash(info), First: first,
			Plan: func([]byte) (seed.Content, int64, error) { return m, 0, nil },
			Done: func(r seed.Result) {
				if took = f.Elapsed() - begun; !errors.Is(r.Err, seed.ErrStalled) {
					t.Errorf("%s: %v", c.name, r.Err)
				}
			},
		})
		if f.Run(2 * time.Minute); took < c.least || took > c.most {
			t.Errorf("%s: after %v", c.name, took)
		}
	}
}
