//go:build !windows

package mainline

import (
	"errors"
	"net"
	"syscall"
	"testing"
)

func TestTheSocketHasTheRoomThatTheSystemGives(t *testing.T) {
	asked, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer asked.Close()
	if err := errors.Join(asked.SetReadBuffer(4<<20), asked.SetWriteBuffer(4<<20)); err != nil {
		t.Skipf("the system gives none: %v", err)
	}
	got := socketRoom(t, open(t, Config{}).conn)
	for i, want := range socketRoom(t, asked) {
		if got[i] < want {
			t.Errorf("%s: %d bytes, want %d", [...]string{"receiving", "sending"}[i], got[i], want)
		}
	}
}

// socketRoom is how many bytes the system keeps for a socket: received, and to be sent.
func socketRoom(t *testing.T, conn *net.UDPConn) (room [2]int) {
	t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var errs [2]error
	if err := raw.Control(func(fd uintptr) {
		room[0], errs[0] = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF)
		room[1], errs[1] = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF)
	}); err != nil {
		t.Fatal(err)
	}
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	return room
}
