package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"weir/internal/control"
	"weir/internal/host"
	"weir/keys"
	"weir/ledger/wire"
	"weir/manager"
)

const oldMachineOff = "Is the old machine switched off for good, or lost? Two machines that run one manager sign two histories: whoever meets both stops, and cannot go on."

// What becomes of what a manager publishes nowhere.
const (
	unpublishedLost = "What is not published could not be rebuilt: open invitations, requests to join that waited, settings (weir.toml), notes and contacts. " +
		"Invitations that were given out and not used, on paper or as a link, are void: invite those people again"
	unpublishedKept = "What is not published was kept as it was here: open invitations, settings (weir.toml), notes and contacts. " +
		"Invitations that were made elsewhere since, on paper or as a link, are void: invite those people again"
)

// managerRecover rebuilds a manager's directory. Whatever ends it, the same command
// goes on.
func (p *program) managerRecover(c *cli.Context) error {
	o, err := p.options(c, roleManager)
	if err != nil {
		return err
	}
	link, err := host.ReadRestore(c.Args().First())
	if err != nil {
		return err
	}
	network, err := o.network(p)
	if err != nil {
		return err
	}
	if !c.Bool("yes") && !p.terminal() {
		return usagef("there is no terminal to ask on whether the old machine is off: if it is, say --yes. %s", oldMachineOff)
	}
	if err := o.dir.Recoverable(link); err != nil {
		return err
	}
	made, err := o.dir.HasKey()
	if err != nil {
		return err
	}
	var seed keys.Seed
	var id *keys.Identity
	if made {
		p.remark("the key in " + string(o.dir) + " is used, and no words are asked for")
		id, err = p.identity(o)
	} else if seed, err = p.wordsOf(c, c.String("words"), "the manager's key"); err == nil {
		id = keys.Derive(seed)
	}
	if err != nil {
		return err
	}
	if !c.Bool("yes") {
		if err := p.isOff(c.Context, oldMachineOff, "machine"); err != nil {
			return err
		}
	}
	var v host.RecoverView
	if err := withTimeout(c, func(ctx context.Context) error {
		c.Context = ctx
		return reachable(ctx, func() error {
			return p.recovering(c, o, link, network, id, func() error {
				if made {
					return nil
				}
				made = true
				return p.newKey(o, seed)
			}, &v)
		})
	}); err != nil {
		return unrecovered(err)
	}
	return p.show(o.json, v, func() {
		p.printf("The manager of %q was rebuilt in %s: %s, %s, as of %s; the sum is %s %s.\n\n", v.Name, v.Directory,
			count(v.Members, "member", "members"), entryCount(v.LogSize), ago(v.HeadTime), v.Sum, v.Unit)
		p.printf("Nothing is missing that any member is known to have seen. %s.\n\nNext: %s. Never start the old machine again.\n", yes(v.Kept, unpublishedKept, unpublishedLost), o.command("weir manager run"))
	})
}

// recovering rebuilds the directory once the charter says that the key is the
// manager's; keep makes the key file.
func (p *program) recovering(c *cli.Context, o options, link wire.DatabaseLink, n host.Network, id *keys.Identity, keep func() error, v *host.RecoverView) error {
	defer p.progress("")
	p.progress("Looking for the database …")
	r, err := host.OpenRecovery(c.Context, o.dir, link, n)
	if err != nil {
		return err
	}
	err = func() error {
		charter, err := r.Charter(c.Context)
		if err != nil {
			return err
		}
		if err := r.NotManager(c.Context, charter, id); err != nil {
			return err
		}
		p.progress("")
		if err := keep(); err != nil {
			return err
		}
		if err := r.Begin(c.Context, charter, id); err != nil {
			return err
		}
		var problem news
		*v, err = r.Wait(c.Context, func(s host.RecoverProgress) {
			p.remark(problem.of(s.Problem))
			p.progress(recoveringLine(s))
		})
		return err
	}()
	return errors.Join(err, r.Close())
}

func recoveringLine(s host.RecoverProgress) string {
	switch {
	case s.Step == manager.Checking:
		return "Asking every member's outbox whether anybody has seen more …"
	case s.Newest == 0:
		return "Looking for the newest head …"
	}
	return fmt.Sprintf("Fetching the log, %d of %d entries are here …", s.Entries, s.Newest)
}

// unrecovered says what there is of a manager that is not rebuilt yet.
func unrecovered(err error) error {
	const goesOn = "what is here is kept, nothing was published, and the same command goes on"
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &control.Error{Code: host.CodePart, Text: "the manager is not rebuilt yet, not all that is needed could be fetched: " + goesOn}
	case errors.Is(err, context.Canceled):
		return &control.Error{Code: host.CodeInterrupted, Text: "interrupted: " + goesOn}
	}
	return err
}
