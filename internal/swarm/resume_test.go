package swarm

import (
	"bytes"
	"net/netip"
	"testing"

	"weir/internal/seed"
	"weir/ledger/wire"
)

// resume fetches into m, which may hold a part of it.
func (w *world) resume(c *Client, info []byte, m *memory, have int64, peers ...*Client) seed.Result {
	w.t.Helper()
	f := seed.Fetch{
		Infohash: wire.Infohash(info), Stall: patience, Resume: true,
		Plan: func([]byte) (seed.Content, int64, error) { return m, have, nil },
	}
	for _, p := range peers {
		f.Peers = append(f.Peers, p.Addr())
	}
	done, _ := w.run(c, f)
	return w.wait(done)
}

// missing is the bytes of the pieces that m does not have.
func missing(m *memory, content []byte) (n int64) {
	got := m.bytes()
	for off := 0; off < len(content); off += wire.PieceBytes {
		end := min(off+wire.PieceBytes, len(content))
		if end > len(got) || !bytes.Equal(got[off:end], content[off:end]) {
			n += int64(end - off)
		}
	}
	return n
}

func TestAFetchThatResumesReceivesOnlyWhatIsNotThere(t *testing.T) {
	for name, c := range map[string]struct {
		have  int64
		spoil func(b []byte) []byte
	}{
		"holes":              {0, func(b []byte) []byte { clear(b[100_000:150_000]); b[3_000_000] ^= 1; return b }},
		"holes after a part": {50_000, func(b []byte) []byte { clear(b[100_000:150_000]); return b }},
		"nothing wrong":      {0, func(b []byte) []byte { return b }},
		"only rubbish":       {0, func(b []byte) []byte { return random(9, len(b)) }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a, b := w.client(), w.client()
			content := random(21, 3<<20+17)
			info := volume(content)
			w.serve(a, info, content)
			m := &memory{b: c.spoil(bytes.Clone(content))}
			k := missing(m, content)
			r := w.resume(b, info, m, c.have, a)
			if r.Err != nil || !bytes.Equal(m.bytes(), content) {
				t.Fatalf("got %v", r.Err)
			}
			if most := k + k/256 + 64<<10; r.Received > most || r.Received < k || r.Here != int64(len(content))-k {
				t.Errorf("%d bytes received for %d, %d were there", r.Received, k, r.Here)
			}
		})
	}
}

func TestAFetchThatWasStoppedGoesOnFromWhatItHad(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(func(c *Config) { c.UploadRate = 512 << 10 }), w.client()
	content := random(22, 2<<20)
	info := volume(content)
	w.serve(a, info, content)
	m := &memory{b: make([]byte, len(content))}
	w.run(b, seed.Fetch{
		Infohash: wire.Infohash(info), Peers: []netip.AddrPort{a.Addr()},
		Plan: func([]byte) (seed.Content, int64, error) { return m, 0, nil },
	})
	w.eventually("some pieces have come", func() bool { n, _ := m.counted(); return n > 20 })
	b.Stop(wire.Infohash(info))
	k := missing(m, content)
	r := w.resume(b, info, m, 0, a)
	if r.Err != nil || !bytes.Equal(m.bytes(), content) {
		t.Fatalf("got %v", r.Err)
	}
	if most := k + k/256 + 64<<10; r.Received > most || k > int64(len(content))*9/10 {
		t.Errorf("%d bytes received for the %d that were missing", r.Received, k)
	}
}

func TestACopyOfWhatIsServedHereTakesOnlyWhatIsNotThere(t *testing.T) {
	w := newWorld(t)
	a := w.client()
	content := random(23, 100<<10)
	info := volume(content)
	w.serve(a, info, content)
	m := &memory{b: bytes.Clone(content)}
	m.b[40_000] ^= 1
	if r := w.resume(a, info, m, 0); r.Err != nil || !bytes.Equal(m.bytes(), content) {
		t.Fatalf("got %v", r.Err)
	}
	if writes, _ := m.counted(); writes != 1 {
		t.Errorf("%d writes for one piece", writes)
	}
}
