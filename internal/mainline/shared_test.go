package mainline

import (
	"bytes"
	"net"
	"testing"
	"time"

	"weir/internal/lookup"
)

// utpPacket is a datagram of uTP with some contents.
func utpPacket(first byte, contents string) []byte {
	return append(append([]byte{first}, make([]byte, utpHeaderBytes-1)...), contents...)
}

func TestUTPSharesTheSocketWithTheDHT(t *testing.T) {
	n := open(t, Config{Listen: "127.0.0.1:0"})
	shared := n.Shared()
	if n.Shared() != shared {
		t.Error("it is another one the second time")
	}
	other, err := net.Dial("udp4", n.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for _, p := range [][]byte{
		utpPacket(0x51, "type 5"), utpPacket(0x42, "version 2"), {0x01}, []byte("rubbish that is longer than twenty bytes"),
		append(utpPacket(0x01, ""), make([]byte, packetBytesMax)...),
	} {
		other.Write(p)
	}
	for i, first := range []byte{0x01, 0x11, 0x21, 0x31, 0x41} {
		want := utpPacket(first, string(rune('a'+i)))
		other.Write(want)
		b := make([]byte, 100)
		size, from, err := shared.ReadFrom(b)
		if err != nil || !bytes.Equal(b[:size], want) || from.String() != other.LocalAddr().String() {
			t.Fatalf("%x from %v, %v; want %x from %v", b[:size], from, err, want, other.LocalAddr())
		}
	}
	if _, err := shared.WriteTo([]byte("back"), other.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	if size, err := other.Read(b); err != nil || string(b[:size]) != "back" {
		t.Errorf("%q, %v", b[:size], err)
	}
	// The DHT goes on beside it.
	asker := open(t, Config{Bootstrap: []string{n.Addr().String()}})
	f := await(t, func(done func(lookup.Found)) { asker.Get(lookup.Get{Target: [20]byte{1}}, done) })
	if f.Answered != 1 {
		t.Errorf("%d nodes answered", f.Answered)
	}
	ended := make(chan error, 1)
	go func() {
		_, _, err := shared.ReadFrom(b)
		ended <- err
	}()
	n.Close()
	if err := <-ended; err == nil {
		t.Error("a read went on after Close")
	}
	if _, _, err := n.Shared().ReadFrom(b); err == nil {
		t.Error("a read began after Close")
	}
}

func TestWithoutAnybodyForUTPItIsMalformed(t *testing.T) {
	n := open(t, Config{Listen: "127.0.0.1:0"})
	n.receive(time.Now(), n.Addr(), utpPacket(0x01, ""))
	if s := n.Stats(); s.Dropped["malformed"] != 1 {
		t.Errorf("%+v", s)
	}
}
