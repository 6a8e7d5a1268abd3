package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"weir/internal/control"
	"weir/internal/host"
	"weir/ledger/store"
)

// A command that finds a store locked looks again for a moment: another
// command may hold it, which is soon over, or a manager or agent that starts,
// which is about to answer on its socket.
const (
	lockPatience = 3 * time.Second
	lockPause    = 50 * time.Millisecond
)

// patiently runs f again while it finds a store locked.
func patiently(ctx context.Context, f func() error) error {
	again := time.NewTicker(lockPause)
	defer again.Stop()
	late := time.After(lockPatience)
	for {
		err := f()
		if !errors.Is(err, store.ErrLocked) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-late:
			return err
		case <-again.C:
		}
	}
}

// alone opens a store to keep it open, unless a manager or agent that answers
// to the call name has it.
func (p *program) alone(c *cli.Context, o options, db host.Database, name string, open func() error) error {
	return patiently(c.Context, func() error {
		if err := p.free(c, o, db, name); err != nil {
			return err
		}
		return open()
	})
}

// managing is what a command begins with that needs a manager's directory for itself
// and the network: its options, and its database, on which nothing runs.
func (p *program) managing(c *cli.Context) (o options, n host.Network, db host.Database, err error) {
	if o, err = p.options(c, roleManager); err != nil {
		return
	}
	if n, err = o.network(p); err != nil {
		return
	}
	if db, err = o.dir.Choose(o.db, roleManager); err != nil {
		return
	}
	return o, n, db, p.free(c, o, db, "manager status")
}

// free says that no manager or agent of a database answers to the call name:
// asked before a passphrase is, so that nobody types one for nothing.
func (p *program) free(c *cli.Context, o options, db host.Database, name string) error {
	raw, err := request(db, name, nil)
	if err != nil {
		return err
	}
	err = control.Call(c.Context, o.dir.Control(db), name, raw, nil)
	if c.Context.Err() != nil {
		return c.Context.Err()
	}
	var copied *control.CopyError
	switch {
	case errors.As(err, &copied):
		return err
	case !errors.Is(err, control.ErrNotRunning):
		return &control.Error{Code: host.CodeLocked, Text: fmt.Sprintf("%s is in use: another weir runs on it", o.dir)}
	}
	return nil
}

// A store whose disk failed in the middle of a write is opened again, so often
// and with such pauses.
const (
	reopenTries = 5
	reopenPause = 5 * time.Second
)

// reopening runs a session again when it ended because a store is broken.
func (p *program) reopening(ctx context.Context, session func() error) error {
	for try := 1; ; try++ {
		began := time.Now()
		err := session()
		if !errors.Is(err, store.ErrBroken) || try == reopenTries {
			return err
		}
		if time.Since(began) > time.Hour {
			try = 1
		}
		p.logf("%s; opening it again", host.Text(err))
		pause := time.NewTimer(reopenPause)
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-pause.C:
		}
	}
}
