package swarm

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anacrolix/torrent"

	"weir/ledger/wire"
)

// patient is a client that lets newcomers be for so long.
func (w *world) patient(grace time.Duration) *Client {
	c := w.client()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.grace = grace
	return c
}

// idle connects to a listener, exchanges the handshakes if it is let in, and
// does nothing more. The channel is closed when the connection is.
func (w *world) idle(at net.Addr, infohash [20]byte, n int) <-chan struct{} {
	closed := make(chan struct{})
	nc, err := net.Dial("tcp", at.String())
	if err != nil { // it was refused at once
		close(closed)
		return closed
	}
	w.t.Cleanup(func() { nc.Close(); <-closed })
	nc.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(nc, "\x13BitTorrent protocol\x00\x00\x00\x00\x00\x10\x00\x04%s-XX0000-%012d", infohash[:], n)
	io.ReadFull(nc, make([]byte, 68))
	go func() { io.Copy(io.Discard, nc); close(closed) }()
	return closed
}

// connected is how many connections a torrent of a client has.
func connected(c *Client, infohash [20]byte) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, k := range c.conns {
		if !k.dead && k.share == c.shares[infohash] {
			n++
		}
	}
	return n
}

func TestWhoDoesNothingMakesRoomForWhoWantsSomething(t *testing.T) {
	w := newWorld(t)
	a, b := w.patient(300*time.Millisecond), w.client()
	content := random(1, 300<<10)
	info := volume(content)
	infohash := wire.Infohash(info)
	w.serve(a, info, content)

	// It came first, and downloads all the time.
	busy := w.dial(a, infohash)
	pieces, stopped := make(chan struct{}, 1), make(chan error, 1)
	go func() {
		busy.send(hello(0), message(msgInterested))
		for {
			kind, _, err := busy.read()
			if err != nil {
				stopped <- err
				return
			}
			switch kind {
			case msgPiece:
				select {
				case pieces <- struct{}{}:
				default:
				}
				fallthrough
			case msgUnchoke:
				busy.send(message(msgRequest, integers(0, 0, wire.PieceBytes)))
			}
		}
	}()
	<-pieces
	for n := range 2 * establishedMax {
		w.idle(a.sockets.listeners[0].Listener.Addr(), infohash, n)
	}
	w.eventually("only so many stay", func() bool { return connected(a, infohash) <= connectionsOfOne })
	w.fetch(b, info, content, 0, a)
	w.eventually("what it downloads counts", func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		for _, k := range a.conns {
			if k.rate(time.Now()) >= slowBelow {
				return true
			}
		}
		return false
	})
	select {
	case err := <-stopped:
		t.Errorf("the one that downloads was cut: %v", err)
	case <-pieces:
	}
}

func TestWhoComesAgainAtOnceKeepsNobodyOut(t *testing.T) {
	w := newWorld(t)
	a, b := w.patient(time.Hour), w.client() // nobody's time is ever over
	content := random(1, 300<<10)
	info := volume(content)
	w.serve(a, info, content)
	at := a.sockets.listeners[0].Listener.Addr()
	stop := make(chan struct{})
	var strangers sync.WaitGroup
	defer func() { close(stop); strangers.Wait() }()
	for n := range 2 * establishedMax {
		closed := w.idle(at, wire.Infohash(info), n)
		strangers.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-closed:
					closed = w.idle(at, wire.Infohash(info), n)
				}
			}
		})
	}
	w.fetch(b, info, content, 0, a)
}

// disguised is a listener whose connections seem to come from elsewhere.
type disguised struct {
	net.Listener
	from string
}

type mask struct {
	net.Conn
	from string
}

func (m mask) RemoteAddr() net.Addr { a, _ := net.ResolveTCPAddr("tcp", m.from); return a }

func (d disguised) Accept() (net.Conn, error) {
	nc, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return mask{nc, d.from}, nil
}

func TestOnePublicAddressHasFewConnectionsToATorrent(t *testing.T) {
	for from, want := range map[string]int{
		"203.0.113.9:6881":   connectionsOfEach,
		"[2001:db8::7]:6881": connectionsOfEach,
		"192.168.1.7:6881":   2 * connectionsOfEach,
		"127.0.0.1:6881":     2 * connectionsOfEach,
	} {
		t.Run(from, func(t *testing.T) {
			w := newWorld(t)
			a := w.client()
			content := random(1, 100<<10)
			info := volume(content)
			w.serve(a, info, content)
			door, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { door.Close() })
			a.lib.AddListener(&listener{Listener: disguised{door, from}, sockets: a.sockets})
			var closed []<-chan struct{}
			for n := range 2 * connectionsOfEach {
				closed = append(closed, w.idle(door.Addr(), wire.Infohash(info), n))
			}
			w.eventually("so many stay and the others do not", func() bool {
				open := 0
				for _, ch := range closed {
					select {
					case <-ch:
					default:
						open++
					}
				}
				return open == want && connected(a, wire.Infohash(info)) == want
			})
		})
	}
}

// crowd is a client with connections that are nothing but what is known of them.
func crowd(standings ...func(i int, k *conn)) (*Client, []*conn, time.Time) {
	now := time.Unix(1_700_000_000, 0)
	c := &Client{conns: make(map[*torrent.PeerConn]*conn), grace: graceFirst}
	s := &share{}
	all := make([]*conn, len(standings))
	for i, change := range standings {
		begun := now.Add(-time.Hour)
		all[i] = &conn{share: s, begun: begun, standing: standing{incoming: true, active: begun, recent: recent{turned: now}}}
		change(i, all[i])
		c.conns[new(torrent.PeerConn)] = all[i]
	}
	return c, all, now
}

// moving has moved so many bytes a second lately, and asked for something a second ago.
func moving(rate int64) func(int, *conn) {
	return func(_ int, k *conn) {
		k.recent.prev = rate * int64(halfWindow/time.Second)
		k.active = k.recent.turned.Add(-time.Second)
	}
}

// quiet has moved nothing, and last asked for something so long ago.
func quiet(since time.Duration) func(int, *conn) {
	return func(_ int, k *conn) { k.active = k.recent.turned.Add(-since) }
}

// young has just come.
func young(_ int, k *conn) { k.begun, k.active = k.recent.turned, k.recent.turned }

func TestWhoGoesWhenATorrentIsFull(t *testing.T) {
	fast := slices.Repeat([]func(int, *conn){moving(slowBelow)}, connectionsOfOne)
	fetching := func(change func(int, *conn)) func(int, *conn) {
		return func(i int, k *conn) { k.share.fetch = new(fetch); change(i, k) }
	}
	for name, tt := range map[string]struct {
		more []func(int, *conn) // than the fast ones
		want []int              // of more
	}{
		"nobody while there is room for all":                 {nil, nil},
		"nobody who transfers":                               {fast[:newcomersMax], nil},
		"nobody who has just come":                           {[]func(int, *conn){young, young}, nil},
		"whoever does nothing":                               {[]func(int, *conn){moving(slowBelow), quiet(time.Hour)}, []int{1}},
		"whoever did nothing for longest":                    {[]func(int, *conn){quiet(time.Minute), quiet(time.Hour), young}, []int{1, 0}},
		"whoever asks for a little now and then":             {[]func(int, *conn){moving(slowBelow - 1), young}, []int{0}},
		"nobody for a few bytes less than nothing":           {[]func(int, *conn){quiet(time.Hour), moving(trifle - 1), moving(trifle), young, young}, []int{0, 1, 2}},
		"a request now and then is worth as much as silence": {[]func(int, *conn){moving(1), quiet(0)}, []int{0, 1}},
		"of a fetch, before all who has nothing that we lack": {[]func(int, *conn){
			fetching(func(_ int, k *conn) { k.all = true; quiet(time.Hour)(0, k) }), quiet(time.Minute), young}, []int{1, 0}},
		"not the one that is asked for the info dictionary": {[]func(int, *conn){
			func(_ int, k *conn) { k.share.metadata.from = k }, quiet(time.Second)}, []int{1}},
		"nobody that has been cut already": {[]func(int, *conn){
			func(_ int, k *conn) { k.dead = true }, quiet(0)}, []int{1}},
	} {
		t.Run(name, func(t *testing.T) {
			c, all, now := crowd(slices.Concat(fast, tt.more)...)
			gone := c.leaving(now)
			var want []*conn
			for _, i := range tt.want {
				want = append(want, all[len(fast)+i])
			}
			if !slices.Equal(gone, want) {
				t.Errorf("%d go, want %d or others", len(gone), len(want))
			}
		})
	}
}

func TestTheGraceEndsWhenTheyComeTooFast(t *testing.T) {
	age := func(since time.Duration, from string) func(int, *conn) {
		return func(i int, k *conn) {
			k.begun = k.recent.turned.Add(-since)
			k.active = k.begun
			if from != "" {
				k.from = netip.MustParsePrefix(from)
			}
		}
	}
	c, all, now := crowd(slices.Concat(slices.Repeat([]func(int, *conn){moving(2 * slowBelow)}, connectionsOfOne),
		slices.Repeat([]func(int, *conn){young}, newcomersWait-1), []func(int, *conn){
			age(time.Second, "203.0.113.9/32"), age(2*time.Second, "198.51.100.7/32"), age(time.Second/2, "192.0.2.1/32")})...)
	last := len(all) - 1
	if gone := c.leaving(now); !slices.Equal(gone, []*conn{all[last-1], all[last-2]}) {
		t.Errorf("%d go, and not the first two to come", len(gone))
	}
	all[0].share.spend(all[last].from, now.Add(-spentFor+1))
	if gone := c.leaving(now); !slices.Equal(gone, []*conn{all[last], all[last-1]}) {
		t.Errorf("%d go, and not first the one that has come again", len(gone))
	}
	if gone := c.leaving(now.Add(1)); !slices.Equal(gone, []*conn{all[last-1], all[last-2]}) {
		t.Error("what an address had counts for ever")
	}
	for i := range 2 * spentMax {
		all[0].share.spend(netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)}), 32), now)
	}
	if n := len(all[0].share.spent); n > spentMax {
		t.Errorf("%d addresses are remembered", n)
	}
}

func TestOfOneAddressTheOneThatDoesNothingMakesRoom(t *testing.T) {
	home := func(change func(int, *conn)) func(int, *conn) {
		return func(i int, k *conn) { k.from = netip.MustParsePrefix("203.0.113.9/32"); change(i, k) }
	}
	c, all, now := crowd(home(moving(slowBelow)), home(quiet(time.Minute)), home(moving(slowBelow)), home(young), young, young)
	if gone := c.leaving(now); len(gone) != 1 || gone[0] != all[1] {
		t.Errorf("%d go, and not the idle one alone", len(gone))
	}
	c, all, now = crowd(home(young), home(moving(slowBelow)), home(moving(slowBelow)), home(moving(slowBelow)))
	if gone := c.leaving(now); len(gone) != 1 || gone[0] != all[0] {
		t.Errorf("%d go, and not the newcomer alone", len(gone))
	}
}

func TestIdleConnectionsToManyTorrentsMakeRoomToo(t *testing.T) {
	c, _, now := crowd(slices.Repeat([]func(int, *conn){func(i int, k *conn) {
		k.share = nil
		quiet(time.Minute)(i, k)
	}}, incomingMax)...)
	shares := make([]share, incomingMax/connectionsOfOne+1)
	i := 0
	for _, k := range c.conns {
		k.share = &shares[i%len(shares)]
		i++
	}
	if n := len(c.leaving(now)); n != incomingMax-incomingStay {
		t.Errorf("of %d connections that others opened %d go", incomingMax, n)
	}
	for _, k := range c.conns {
		k.incoming = false
	}
	if n := len(c.leaving(now)); n != 0 {
		t.Errorf("%d that we opened go", n)
	}
}

func TestWhatWasMovedIsForgotten(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	k := &conn{begun: now, standing: standing{recent: recent{turned: now}}}
	for _, step := range []struct {
		after time.Duration
		total int64
		want  int64
	}{
		{0, 0, 0},
		{time.Second / 2, 1000, 1000}, // of the first second
		{time.Second, 2000, 1333},     // in 1.5 s
		{halfWindow, 2000, 400},
		{halfWindow / 2, 2000, 266},
		{halfWindow / 2, 2000, 0},
		{time.Hour, 52_000, 10_000}, // nobody looked: it may have been just now
		{2 * halfWindow, 52_000, 0},
		{time.Second, 50_000, 0}, // a count that shrinks is nothing
	} {
		now = now.Add(step.after)
		k.recent.note(step.total, now)
		if got := k.rate(now); got != step.want {
			t.Errorf("after %v more and %d bytes: %d bytes a second, want %d", step.after, step.total, got, step.want)
		}
	}
}

func TestWhoIsSlowIsMeasuredByWhatWeAllow(t *testing.T) {
	for _, tt := range []struct{ up, down, want int64 }{
		{0, 0, slowBelow},
		{100 << 20, 0, slowBelow},
		{60_000, 0, 1000},
		{60_000, 30_000, 500},
		{10, 0, 1},
	} {
		c := &Client{config: Config{UploadRate: tt.up, DownloadRate: tt.down}}
		if got := c.slow(); got != tt.want {
			t.Errorf("with %d up and %d down: %d, want %d", tt.up, tt.down, got, tt.want)
		}
	}
}
