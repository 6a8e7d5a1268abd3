package mainline

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"weir/internal/lookup"
	"weir/ledger/wire"
)

// childNodes, in the environment, makes the test program a network of so many
// nodes, until its standard input ends.
const childNodes = "WEIR_TEST_NETWORK_NODES"

func TestMain(m *testing.M) {
	if n, err := strconv.Atoi(os.Getenv(childNodes)); err == nil {
		if err := beNetwork(n); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func beNetwork(n int) error {
	w, err := StartNetwork(context.Background(), n)
	if err != nil {
		return err
	}
	defer w.Close()
	fmt.Println(strings.Join(w.Hosts(n), " "))
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// elsewhere starts a network in a process of its own and gives the addresses of
// its nodes.
func elsewhere(t testing.TB, nodes int) []string {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(program)
	child.Env = append(os.Environ(), fmt.Sprint(childNodes, "=", nodes))
	child.Stderr = os.Stderr
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		child.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the network did not start: %v", err)
	}
	return strings.Fields(line)
}

// outboxes are items of different keys under one salt.
type outboxes struct {
	salt  []byte
	keys  []ed25519.PrivateKey
	items []lookup.Item
}

func newOutboxes(n int) *outboxes {
	o := &outboxes{salt: []byte("the database's id..."), items: make([]lookup.Item, n)}
	for i := range n {
		var seed [32]byte
		binary.BigEndian.PutUint64(seed[:], uint64(i)+1)
		o.keys = append(o.keys, ed25519.NewKeyFromSeed(seed[:]))
	}
	return o
}

// put signs and puts every item anew, of so many bytes.
func (o *outboxes) put(t testing.TB, n *Node, seq int64, bytes int, remembered bool) {
	t.Helper()
	slots, results := make(chan struct{}, 64), make(chan lookup.Stored, len(o.keys))
	for i, key := range o.keys {
		it, err := lookup.Sign(key, o.salt, seq, wire.String(make([]byte, bytes)))
		if err != nil {
			t.Fatal(err)
		}
		o.items[i] = it
		slots <- struct{}{}
		n.Put(lookup.Put{Item: it, Remembered: remembered}, func(s lookup.Stored) {
			<-slots
			results <- s
		})
	}
	for range o.keys {
		if s := <-results; s.Acknowledged < 8 {
			t.Logf("put: %+v", s)
		}
	}
}

// poll asks for all as if the seq were known.
func (o *outboxes) poll(t testing.TB, n *Node, known int64, traverse bool) lookup.PollReport {
	t.Helper()
	p := lookup.Poll{Salt: o.salt, Traverse: traverse}
	for _, it := range o.items {
		p.Keys = append(p.Keys, lookup.PollKey{Key: it.Key, Seq: known})
	}
	return await(t, func(done func(lookup.PollReport)) { n.Poll(p, func(int, lookup.Polled) {}, done) })
}

func TestAPollOfRealNodesCostsTwoPacketsAKey(t *testing.T) {
	w := network(t, 24)
	n := open(t, Config{Bootstrap: w.Hosts(2), Poll: lookup.PollConfig{Refresh: 1 << 20}})
	o := newOutboxes(60)
	o.put(t, n, 1, 300, false)
	if r := o.poll(t, n, -1, true); r.Newer != 60 || r.Answers[2] != 60 || r.Walked != 60 {
		t.Fatalf("the first: %+v", r)
	}
	if r := o.poll(t, n, 1, false); r.Answers[2] != 60 || r.Newer+r.Stale+r.Invalid != 0 || r.Packets > 132 {
		t.Errorf("unchanged: %+v", r)
	}
	o.put(t, n, 2, 300, true)
	if r := o.poll(t, n, 1, false); r.Newer != 60 || r.Answers[2] != 60 {
		t.Errorf("changed: %+v", r)
	}
	later := open(t, Config{Bootstrap: w.Hosts(2), Poll: lookup.PollConfig{Refresh: 1 << 20}})
	if err := later.AddHolders(n.Holders()); err != nil {
		t.Fatal(err)
	}
	if r := o.poll(t, later, 1, false); r.Newer != 60 || r.Walked != 0 {
		t.Errorf("after a restart: %+v", r)
	}
}

func TestCloseEndsAPoll(t *testing.T) {
	n := open(t, Config{Bootstrap: []string{"127.0.0.1:9"}})
	o := newOutboxes(3)
	for i, key := range o.keys {
		o.items[i], _ = lookup.Sign(key, o.salt, 1, []byte("0:"))
	}
	p := lookup.Poll{Salt: o.salt, Keys: []lookup.PollKey{{Key: o.items[0].Key, Seq: -1}}, Traverse: true}
	ended := make(chan lookup.PollReport, 2)
	n.Poll(p, func(int, lookup.Polled) {}, func(r lookup.PollReport) { ended <- r })
	n.Close()
	if r := <-ended; r.Err != nil && r.Err != ErrClosed {
		t.Errorf("%+v", r)
	}
	n.Poll(p, nil, func(r lookup.PollReport) { ended <- r })
	if r := <-ended; r.Err != ErrClosed {
		t.Errorf("%+v", r)
	}
	if n.Holders() != nil || n.AddHolders([]byte{1}) != ErrClosed {
		t.Error("a closed node remembers")
	}
}

// echo is the floor of a poll: 2000 requests of 120 bytes and as many answers,
// 64 on their way, both ends in this process.
func echo(t testing.TB, answerBytes int) time.Duration {
	t.Helper()
	listenHere := func() *net.UDPConn {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	near, far := listenHere(), listenHere()
	defer near.Close()
	go func() {
		b := make([]byte, 2048)
		for {
			_, from, err := far.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			far.WriteToUDPAddrPort(b[:answerBytes], from)
		}
	}()
	defer far.Close()
	var to netip.AddrPort = far.LocalAddr().(*net.UDPAddr).AddrPort()
	request, answer := make([]byte, 120), make([]byte, 2048)
	near.SetReadDeadline(time.Now().Add(10 * time.Second))
	start := time.Now()
	sent := 0
	for ; sent < 64; sent++ {
		near.WriteToUDPAddrPort(request, to)
	}
	for got := 0; got < 2000; got++ {
		if _, _, err := near.ReadFromUDPAddrPort(answer); err != nil {
			t.Fatalf("the floor: %v", err)
		}
		if sent < 2000 {
			near.WriteToUDPAddrPort(request, to)
			sent++
		}
	}
	return time.Since(start)
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// BenchmarkPoll1000 polls 1000 keys on 200 nodes in a process of their own. The
// budgets (DESIGN section 10): unchanged at most 8 x floor and 2.2 packets a key,
// 0.2 in the background; all changed at most 15 x floor.
func BenchmarkPoll1000(b *testing.B) {
	hosts := elsewhere(b, 200)
	n := open(b, Config{Bootstrap: hosts[:3]})
	o := newOutboxes(1000)
	const bytes = 900
	seq := int64(1)
	o.put(b, n, seq, bytes, false)
	o.poll(b, n, -1, true)
	floor := func(answerBytes int) float64 {
		var all []time.Duration
		for range 20 {
			all = append(all, echo(b, answerBytes))
		}
		return float64(median(all).Microseconds()) / 1000
	}
	run := func(b *testing.B, answerBytes int, before func(), known func() int64) {
		floorMS := floor(answerBytes)
		var took []time.Duration
		var packets, background, short int
		for b.Loop() {
			b.StopTimer()
			before()
			<-time.After(3500 * time.Millisecond) // every node may be sent a burst again, as between two cycles
			b.StartTimer()
			r := o.poll(b, n, known(), false)
			took = append(took, r.Took)
			packets += r.Packets
			background += r.Background
			short += r.Short()
		}
		ms := float64(median(took).Microseconds()) / 1000
		polls := float64(len(took)) * 1000
		b.ReportMetric(ms, "poll-ms")
		b.ReportMetric(floorMS, "floor-ms")
		b.ReportMetric(ms/floorMS, "x-floor")
		b.ReportMetric(float64(packets)/polls, "packets/key")
		b.ReportMetric(float64(background)/polls, "background/key")
		b.ReportMetric(float64(short), "short")
	}
	b.Run("unchanged", func(b *testing.B) {
		run(b, 100, func() {}, func() int64 { return seq })
	})
	b.Run("changed", func(b *testing.B) {
		run(b, 1100, func() {
			seq++
			o.put(b, n, seq, bytes, true)
		}, func() int64 { return seq - 1 })
	})
}
