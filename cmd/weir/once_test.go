package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"weir/internal/host"
	"weir/internal/lookup"
	"weir/manager"
)

// Nobody watches manager run --once: whatever keeps a cycle from being published
// ends it.
func TestOnceEndsWithTheCycleThatItWasFor(t *testing.T) {
	for name, c := range map[string]struct {
		report manager.Report
		over   bool
		code   int
	}{
		"published":                      {manager.Report{Phase: manager.Running, Published: true}, true, 0},
		"published, with a blemish":      {manager.Report{Phase: manager.Running, Published: true, Problem: "list invitations: …"}, true, 0},
		"nothing to do yet":              {manager.Report{Phase: manager.Starting}, false, 0},
		"the cycle could not be written": {manager.Report{Phase: manager.Running, Problem: "this cycle's changes could not be written, and are kept for the next: commit: the disk is full"}, true, host.CodeError},
		"the head could not be made":     {manager.Report{Phase: manager.Running, Problem: "the new head could not be made: commit: the disk is full"}, true, host.CodeError},
		"nobody stored the head":         {manager.Report{Phase: manager.Running, Problem: "the head was not put, and is tried again: " + lookup.ErrNotStored.Error()}, true, host.CodeError},
		"nobody answered the put":        {manager.Report{Phase: manager.Running, Problem: "the head was not put, and is tried again: " + (&lookup.NoNodesError{}).Error()}, true, host.CodeNoNode},
		"nobody answered at all":         {manager.Report{Phase: manager.Starting, Problem: "no DHT node answered: nothing was published; trying again"}, true, host.CodeNoNode},
		"too few answered":               {manager.Report{Phase: manager.Starting, Problem: "only 3 of the 8 nodes nearest to this database's head answered: nothing was published; trying again"}, true, host.CodeError},
		"an old copy":                    {manager.Report{Phase: manager.Refusing, Problem: "the network knows a newer state"}, true, host.CodeRefused},
		"a wrong clock":                  {manager.Report{Phase: manager.Held, Problem: "this machine's clock …"}, true, host.CodeRefused},
		"two machines":                   {manager.Report{Phase: manager.Stopped, Problem: "another machine runs this manager"}, true, host.CodeRefused},
	} {
		over, err := once(c.report, "192.0.2.7:6881")
		if over != c.over || host.Code(err) != c.code || err != nil && err.Error() == "" {
			t.Errorf("%s: %v, %v", name, over, err)
		}
	}
}

// grudging is a DHT node that answers everything and stores nothing, until it is
// killed.
func grudging(args []string) error {
	if len(args) != 0 {
		return errors.New("usage: grudging")
	}
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	defer conn.Close()
	fmt.Printf("{\"address\":%q}\n", conn.LocalAddr())
	b := make([]byte, 2048)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return err
		}
		q, err := lookup.ParseMessage(b[:n])
		if err != nil || q.Kind != lookup.KindQuery {
			continue
		}
		r := lookup.Message{Kind: lookup.KindResponse, Transaction: q.Transaction, ID: [20]byte{7}, Token: []byte("token")}
		if q.Method == lookup.MethodPut {
			r = lookup.Message{Kind: lookup.KindError, Transaction: q.Transaction, Code: lookup.CodeServer, Text: "no room"}
		}
		if _, err := conn.WriteToUDPAddrPort(r.Encode(), from); err != nil {
			return err
		}
	}
}

// A manager that is told to end while it looks for names that are alike ends well.
func TestAnInterruptionWhileNamesAreComparedIsNoFailure(t *testing.T) {
	broken := errors.New("the store is broken")
	ctx, interrupt := context.WithCancel(t.Context())
	fails := func(with error) func(context.Context, time.Time) ([]host.AlikeView, error) {
		return func(context.Context, time.Time) ([]host.AlikeView, error) { return nil, with }
	}
	p := &program{err: newScreen(io.Discard)}
	if err := p.tellAlike(ctx, fails(broken), time.Time{}); err != broken {
		t.Errorf("not interrupted: %v", err)
	}
	cut := func(ctx context.Context, _ time.Time) ([]host.AlikeView, error) {
		interrupt()
		return nil, ctx.Err()
	}
	if err := p.tellAlike(ctx, cut, time.Time{}); err != nil {
		t.Errorf("interrupted: %v", err)
	}
}
