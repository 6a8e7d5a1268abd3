package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"weir/internal/control"
	"weir/internal/host"
	"weir/keys"
	"weir/keys/keyfile"
)

// signs are the calls that sign something and so need the key when nothing
// runs that holds it.
var signs = map[string]bool{
	"manager suspend": true, "manager resume": true, "manager limit": true, "manager rename": true, "manager rekey": true,
	"manager admit": true, "manager approve": true,
	"member pay": true, "member raw": true, "member cancel": true, "member outbox": true, "member show": true, "member takeover": true,
}

// keyless are a member's calls that anybody with the store can make.
var keyless = map[string]bool{"member audit": true, "member log": true, "member members": true, "member snapshot": true}

// caller makes calls of one database, wherever it is held.
type caller func(name string, in, out any) error

// with reads a command's options and gives f a caller of the database that they
// mean: of the manager or agent that holds it, or, when none runs, here.
func (p *program) with(c *cli.Context, role string, f func(o options, db host.Database, call caller) error) error {
	o, err := p.options(c, role)
	if err != nil {
		return err
	}
	db, err := o.dir.Choose(o.db, role)
	if err != nil {
		return err
	}
	return f(o, db, func(name string, in, out any) error { return p.call(c, o, db, name, in, out) })
}

// ask calls once, and shows what came back.
func (p *program) ask(c *cli.Context, role, name string, in, out any, show func(options) error) error {
	return p.with(c, role, func(o options, _ host.Database, call caller) error {
		if err := call(name, in, out); err != nil {
			return err
		}
		return show(o)
	})
}

// call runs a call in the manager or agent that holds the database, or, when
// none runs, here.
func (p *program) call(c *cli.Context, o options, db host.Database, name string, in, out any) error {
	raw, err := request(db, name, in)
	if err != nil {
		return err
	}
	return patiently(c.Context, func() error {
		if err := control.Call(c.Context, o.dir.Control(db), name, raw, out); !errors.Is(err, control.ErrNotRunning) {
			return err
		}
		id, err := p.keyFor(o, db, name)
		if err != nil {
			return err
		}
		return p.here(c, o, db, id, name, raw, out)
	})
}

// request is a call's input as it crosses the socket.
func request(db host.Database, name string, in any) (json.RawMessage, error) {
	b, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return json.Marshal(host.Request{DB: db.ID, In: b})
}

// here runs a call on the store, which nobody holds.
func (p *program) here(c *cli.Context, o options, db host.Database, id *keys.Identity, name string, raw json.RawMessage, out any) error {
	var answer any
	thrift, err := o.thrift()
	if err != nil {
		return err
	}
	network := host.Network{Thrift: thrift}
	if db.Role == roleManager {
		m, err := host.OpenDesk(host.ManagerConfig{Dir: o.dir, Database: db, Identity: id, Network: network})
		if err != nil {
			return err
		}
		answer, err = m.Invoke(c.Context, name, raw)
		err = errors.Join(err, m.Close())
		if err != nil {
			return err
		}
		return copyJSON(answer, out)
	}
	a, err := host.OpenAgent(c.Context, host.AgentConfig{Dir: o.dir, Databases: []host.Database{db}, Identity: id, Network: network})
	if err != nil {
		return err
	}
	answer, err = a.Invoke(c.Context, name, raw)
	if err = errors.Join(err, a.Close()); err != nil {
		return err
	}
	return copyJSON(answer, out)
}

// keyFor opens the key when the call signs or asks for the key's own account.
func (p *program) keyFor(o options, db host.Database, name string) (*keys.Identity, error) {
	if db.Role == roleManager && !signs[name] || keyless[name] {
		return nil, nil
	}
	if signs[name] {
		if err := p.place(o); err != nil {
			return nil, err
		}
	}
	return p.identity(o)
}

func copyJSON(from, to any) error {
	if to == nil {
		return nil
	}
	b, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, to)
}

// hasty is how often an agent that lives as long as a command looks at the
// head: somebody waits.
const hasty = 2 * time.Second

// patience is for how many seconds a command goes on when no DHT node answers.
const patience = 20

// online runs f with an agent: the one that runs on the directory, or one that
// lives as long as f and has the network.
func (p *program) online(c *cli.Context, o options, db host.Database, f func(caller) error) error {
	running := func(name string, in, out any) error {
		raw, err := request(db, name, in)
		if err != nil {
			return err
		}
		return control.Call(c.Context, o.dir.Control(db), name, raw, out)
	}
	if p.running(c, o, db) {
		return f(running)
	}
	if err := p.place(o); err != nil {
		return err
	}
	id, err := p.identity(o)
	if err != nil {
		return err
	}
	network, err := o.network(p)
	if err != nil {
		return err
	}
	var a *host.Agent
	err = patiently(c.Context, func() (err error) {
		if p.running(c, o, db) {
			return nil
		}
		a, err = host.OpenAgent(c.Context, host.AgentConfig{
			Dir: o.dir, Databases: []host.Database{db}, Identity: id, Network: network, Online: true, Follow: hasty,
		})
		return err
	})
	if err != nil {
		return err
	}
	if a == nil {
		return f(running)
	}
	err = f(func(name string, in, out any) error {
		raw, err := request(db, name, in)
		if err != nil {
			return err
		}
		answer, err := a.Invoke(c.Context, name, raw)
		if err != nil {
			return err
		}
		return copyJSON(answer, out)
	})
	return errors.Join(err, a.Close())
}

// running says whether an agent holds the directory of a database that was
// joined, also when it has not opened this one.
func (p *program) running(c *cli.Context, o options, db host.Database) bool {
	raw, err := request(db, "member status", nil)
	return err == nil && !errors.Is(control.Call(c.Context, o.dir.Control(db), "member status", raw, nil), control.ErrNotRunning)
}

// offline runs f without the network, unless an agent runs that has it.
func (p *program) offline(c *cli.Context, o options, db host.Database, f func(caller) error) error {
	return f(func(name string, in, out any) error { return p.call(c, o, db, name, in, out) })
}

// haveKey makes the directory's key when there is none, so that a member's
// first command is join.
func (p *program) haveKey(o options) error {
	if _, err := os.Stat(o.dir.Key().Path); err == nil {
		return o.dir.Make()
	}
	seed, err := host.NewKey()
	if err != nil {
		return err
	}
	err = p.newKey(o, seed)
	if errors.Is(err, keyfile.ErrNoPassphrase) {
		return fmt.Errorf("a key is made for you now: %w", err)
	}
	return err
}

// withTimeout runs f under the command's --timeout.
func withTimeout(c *cli.Context, f func(context.Context) error) error {
	d := c.Duration("timeout")
	if d <= 0 {
		return f(c.Context)
	}
	ctx, cancel := context.WithTimeout(c.Context, d)
	defer cancel()
	return f(ctx)
}
