package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"weir/internal/control"
	"weir/internal/host"
)

const oldDeviceOff = "Is the old device switched off for good, or lost? If both go on, each meets changes that it did not make and stops, and what one of them signed last is not taken."

// memberRestore brings an account back from the words of its key. Whatever ends it,
// the same command goes on.
func (p *program) memberRestore(c *cli.Context) error {
	o, err := p.options(c, roleMember)
	if err != nil {
		return err
	}
	link, err := host.ReadRestore(c.Args().First())
	if err != nil {
		return err
	}
	if _, err := o.network(p); err != nil {
		return err
	}
	if !c.Bool("yes") && !p.terminal() {
		return usagef("there is no terminal to ask on whether the old device is off: if it is, say --yes. %s", oldDeviceOff)
	}
	db, err := p.restoredKey(c, o, func() error {
		if c.Bool("yes") {
			return nil
		}
		return p.isOff(c.Context, oldDeviceOff, "device")
	}, func(makesKey bool) (host.Database, error) { return o.dir.PrepareRestore(link, makesKey) })
	if err != nil {
		return err
	}
	v, err := p.restoring(c, o, db)
	if err != nil {
		return unrestored(err)
	}
	if v.NoAccount {
		return noAccount(o, db, v.Why)
	}
	db.Name = v.Database
	if err := o.dir.Save(db); err != nil {
		return err
	}
	return p.show(o.json, v, func() {
		p.printf("You are member %d, %s, of %q, with %s %s. This device goes on after change %d.\n", v.Account, v.Name, v.Database, v.Balance, v.Unit, v.After)
		p.adopted(v.AdoptionView)
		p.printf("What the old device signed and never handed over cannot be known here, and is possibly lost: compare with what you remember before you pay again. Keep the old device off, and this one running: weir member run.\n")
	})
}

// restoredKey gives the directory the key of the words, if it has none, once ask was
// answered and prepare has written down what for.
func (p *program) restoredKey(c *cli.Context, o options, ask func() error, prepare func(makesKey bool) (host.Database, error)) (host.Database, error) {
	if _, err := os.Stat(o.dir.Key().Path); err == nil {
		p.remark("the key in " + string(o.dir) + " is used, and no words are asked for")
		if err := ask(); err != nil {
			return host.Database{}, err
		}
		return prepare(false)
	}
	seed, err := p.wordsOf(c, c.String("words"), "your key")
	if err != nil {
		return host.Database{}, err
	}
	if err := ask(); err != nil {
		return host.Database{}, err
	}
	if err := o.dir.Make(); err != nil {
		return host.Database{}, err
	}
	db, err := prepare(true)
	if err != nil {
		return db, err
	}
	if err := p.newKey(o, seed); err != nil {
		return db, errors.Join(err, o.dir.Forget(db))
	}
	return db, nil
}

// restoring waits until the account is here, and what the network has of it.
func (p *program) restoring(c *cli.Context, o options, db host.Database) (v host.RestoreView, err error) {
	began := time.Now()
	say := func(now host.MemberStatusView) (line, note string) { return restoringLine(now, began), "" }
	err = withTimeout(c, func(ctx context.Context) error {
		c.Context = ctx
		return reachable(ctx, func() error {
			return p.online(c, o, db, func(call caller) error {
				if err := call("member status", nil, nil); err != nil {
					if err := call("member join", host.JoinIn{Link: db.Link}, nil); err != nil {
						return err
					}
				}
				return p.during(c, call, say, func() error { return call("member adopted", host.AdoptedIn{}, &v) })
			})
		})
	})
	return v, err
}

// reachable runs f again while no address to start from can be used: the network
// may come back.
func reachable(ctx context.Context, f func() error) error {
	for {
		err := f()
		if host.Code(err) != host.CodeNoNode {
			return err
		}
		pause := time.NewTimer(reopenPause)
		select {
		case <-ctx.Done():
			pause.Stop()
			return errors.Join(err, ctx.Err())
		case <-pause.C:
		}
	}
}

func restoringLine(v host.MemberStatusView, began time.Time) string {
	next := "Looking for the database"
	switch {
	case v.LogSize == 0:
	case v.Phase != "current":
		next = fmt.Sprintf("Fetching the database, %d of %s are here", v.Entries, entryCount(v.Newest))
	default:
		next = "Looking for what the network has of yours"
	}
	if none := silence(v, began); none != "" {
		next += "; " + none
	}
	return next + " …"
}

// unrestored says what there is of an account that is not back yet.
func unrestored(err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &control.Error{Code: host.CodePart, Text: "the account is not back yet: not all that is needed could be fetched. The same command goes on; so does weir member run"}
	case errors.Is(err, context.Canceled):
		return &control.Error{Code: host.CodeInterrupted, Text: "interrupted; the same command goes on, and so does weir member run"}
	}
	return err
}

// noAccount says that the words are of no member of the database, and leaves
// nothing of them where they made the key.
func noAccount(o options, db host.Database, why string) error {
	if why == "" {
		why = "the key of these words has no account in this database: are they of another database, or the manager's, or of its recovery key?"
	}
	if !db.MadeKey {
		return &control.Error{Code: host.CodeNotFound, Text: fmt.Sprintf("the key in %s has no account in this database. With the words of another key, use an empty directory, with --dir", o.dir)}
	}
	if err := o.dir.Unrestore(db); err != nil {
		return err
	}
	if !strings.HasSuffix(why, "?") {
		why += "."
	}
	return &control.Error{Code: host.CodeNotFound, Text: why + " Nothing of these words was kept here"}
}

// adopted lists what a device goes on with, and what not.
func (p *program) adopted(v host.AdoptionView) {
	list := func(heading string, all []host.ChangeView) {
		if len(all) == 0 {
			return
		}
		p.printf("%s\n", heading)
		var rows [][]string
		for _, w := range all {
			rows = append(rows, []string{fmt.Sprint(w.Number), w.Kind, w.State, what(host.EntryView{Postings: w.Postings, Memo: w.Memo})})
		}
		p.table("NUMBER KIND STATE WHAT", rows)
	}
	if v.Own > v.After {
		p.printf("What waited here goes on: %s %d to %d.\n", yes(v.Own == v.After+1, "change", "changes"), v.After+1, v.Own)
	}
	list("These changes were waiting on the network, and were taken over:", v.Taken)
	list("These changes were given up, since they do not go on from what the log or the network has:", v.GivenUp)
	p.note(v.Unread)
}
