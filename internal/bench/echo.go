package bench

import (
	"errors"
	"net"
	"time"
)

const (
	echoWindow = 64
	echoQuery  = 120 // bytes, as of a get with a seq
	echoAnswer = 100 // as of an answer without a value
	echoFull   = 1100
)

// echo is how long it takes to send queries to an echo on the loopback and to
// have all answers, both ends in this process, a window of 64 under way: the
// least that polling over UDP can cost on this machine.
func echo(queries, queryBytes, answerBytes int) (time.Duration, error) {
	server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, err
	}
	defer server.Close()
	client, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, err
	}
	defer client.Close()
	for _, c := range []*net.UDPConn{server, client} {
		c.SetReadBuffer(4 << 20) // less is no error
		c.SetWriteBuffer(4 << 20)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		in, out := make([]byte, 2048), make([]byte, answerBytes)
		for {
			_, from, err := server.ReadFromUDPAddrPort(in)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				server.WriteToUDPAddrPort(out, from)
			}
		}
	}()
	defer func() { server.Close(); <-ended }()

	to := server.LocalAddr().(*net.UDPAddr).AddrPort()
	in, out := make([]byte, 2048), make([]byte, queryBytes)
	began := time.Now()
	client.SetReadDeadline(began.Add(30 * time.Second)) // a lost datagram must not hang the program
	for sent, got := 0, 0; got < queries; {
		for ; sent < queries && sent-got < echoWindow; sent++ {
			if _, err := client.WriteToUDPAddrPort(out, to); err != nil {
				return 0, err
			}
		}
		if _, _, err := client.ReadFromUDPAddrPort(in); err != nil {
			return 0, err
		}
		got++
	}
	return time.Since(began), nil
}
