package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"weir/internal/host"
	"weir/keys"
	"weir/keys/keyfile"
	"weir/ledger"
	"weir/ledger/wire"
)

// initView is what manager init gives.
type initView struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Link      string   `json:"link"`
	Directory string   `json:"directory"`
	Recovery  []string `json:"recovery_words,omitempty"`
	File      string   `json:"recovery_file,omitempty"`
}

func (p *program) managerInit(c *cli.Context) (err error) {
	o, err := p.options(c, roleManager)
	if err != nil {
		return err
	}
	var g *guide // nil: all is said by flags
	if !c.IsSet("name") && p.leads(o) {
		g = &guide{p: p, ctx: c.Context}
		if err := g.leadInit(c, o); err != nil {
			return err
		}
	}
	charter, err := charterOf(c)
	if err != nil {
		return err
	}
	bootstrap := split(c.String("bootstrap"))
	if err := checkAddresses("bootstrap", bootstrap); err != nil {
		return err
	}
	if err := unfounded(o.dir, charter.Name, c.String("recovery")); err != nil {
		return err
	}
	if file := c.String("recovery"); file != "" && g == nil && o.dir.Beside(file) {
		p.remark(besideIt)
	}
	// The charter is checked whole before a key is made or a passphrase asked for.
	if err := encodes(charter); err != nil {
		return usagef("%v", err)
	}
	recovery, err := keys.NewSeed(rand.Reader)
	if err != nil {
		return err
	}
	charter.Recovery = keys.Derive(recovery).Public()
	own, err := p.founder(o, g)
	if err != nil {
		return err
	}
	words, noted := keys.Words(recovery), false
	if g != nil {
		if err := g.sureInit(o, charter, own, c.String("recovery")); err != nil {
			return err
		}
		if noted, err = g.founderWords(own, words, c.String("recovery")); err != nil {
			return err
		}
	}
	var u undo
	defer func() {
		if err != nil {
			err = errors.Join(err, u.run())
		}
	}()
	u.directories(filepath.Join(string(o.dir), "db"))
	if err := o.dir.Make(); err != nil {
		return err
	}
	if err := p.write(o, own); err != nil {
		return err
	}
	if own.fresh {
		u.made(o.dir.Key().Path+".pub", o.dir.Key().Path)
	}
	id := own.id
	charter.Manager, charter.Log, charter.Seal = id.Public(), id.LogPublic(), id.SealPublic()
	link, err := host.CharterLink(&charter, linkAddresses(bootstrap))
	if err != nil {
		return err
	}
	if err := c.Context.Err(); err != nil {
		return err // interrupted while the key was made: no database yet
	}
	out := initView{ID: link.ID, Name: charter.Name, Link: link.Link, Directory: string(o.dir), Recovery: words, File: c.String("recovery")}
	undone := "what was printed above is of this attempt alone: throw it away"
	if out.File != "" {
		out.Recovery, undone = nil, "everything that was written for it was removed again"
	}
	if g == nil || out.File != "" {
		if err := p.giveWords(o, out, words); err != nil {
			return err
		}
	}
	if out.File != "" {
		u.made(out.File)
	}
	if _, err := host.Found(o.dir, &charter, id, linkAddresses(bootstrap)); err != nil {
		if errors.Is(err, host.ErrLeft) && out.File != "" {
			undone = "all the rest was removed again"
		}
		return fmt.Errorf("found the database: %w; nothing was founded, and %s", err, undone)
	}
	u = undo{}
	if noted {
		p.noted(o, own)
	}
	if o.json && out.File == "" {
		return nil // giveWords has printed it
	}
	if err := p.show(o.json, out, func() {
		p.printf("The database %q was founded in %s.\n\nid    %s\nlink  %s\n\n", out.Name, out.Directory, out.ID, out.Link)
		if out.File != "" {
			p.printf("Its recovery key was written to %s. Keep it away from this machine.\n\n", out.File)
		}
		if g == nil {
			p.printf("Next: %s, and in another window %s.\n", o.command("weir manager run"), o.command("weir manager invite"))
			return
		}
		p.printf("Next: let the manager run, here or, better, always:\n\n  %s\n  %s\n\nand invite people, each with a link of their own:\n\n  %s\n\nweir alone says at any time how things stand and what is next.\n",
			o.command("weir manager run"), o.command("weir manager service install"), o.command("weir manager invite"))
	}); err != nil {
		return fmt.Errorf("the database was founded, and that could not be printed: %w; weir manager link prints its link", err)
	}
	return nil
}

// charterOf is the charter that a command's flags ask for, without its keys.
func charterOf(c *cli.Context) (charter wire.Charter, err error) {
	if kind := c.String("kind"); kind != string(wire.KindLedger) {
		return charter, usagef("--kind %s: only ledger can be founded", kind)
	}
	name, err := textOf(c, "name")
	if err != nil {
		return charter, err
	}
	if name == "" {
		return charter, usagef("a database needs a name: --name NAME")
	}
	scale := c.Int("scale")
	if scale < 0 || scale > 9 {
		return charter, usagef("--scale %d: 0 to 9 decimal places are possible", scale)
	}
	lower, upper := c.String("lower"), c.String("upper")
	charter = wire.Charter{
		Kind: wire.KindLedger, Name: name, Created: time.Now().UnixMilli(), Unit: c.String("unit"), Scale: scale,
		Encrypted: c.Bool("encrypted"), Approval: c.Bool("approval"), Quota: c.Int("quota"), Heartbeat: int(c.Duration("heartbeat").Seconds()), Stale: int(c.Duration("stale").Seconds()),
	}
	if charter.Lower, err = ledger.ParseAmount(lower, scale); err != nil {
		return charter, usagef("--lower: %v", err)
	}
	if charter.Upper, err = ledger.ParseAmount(upper, scale); err != nil {
		return charter, usagef("--upper: %v", err)
	}
	if charter.Lower > 0 || charter.Upper < 0 {
		return charter, usagef("--lower %s --upper %s: a lower limit is zero or less, an upper limit zero or more", lower, upper)
	}
	return charter, nil
}

// founder is the key that will manage the database: the directory's, or a new one.
func (p *program) founder(o options, g *guide) (owner, error) {
	id, err := p.identity(o)
	if !errors.Is(err, keyfile.ErrNotFound) {
		return owner{id: id}, err
	}
	w := owner{fresh: true}
	if w.seed, err = keys.NewSeed(rand.Reader); err != nil {
		return w, err
	}
	w.id = keys.Derive(w.seed)
	if g != nil {
		w.passphrase, err = g.passphrase(o)
		return w, err
	}
	from, err := o.passphrase(p)
	if err != nil {
		return w, err
	}
	w.passphrase, err = from.New(o.c.Context)
	return w, err
}

// giveWords hands the recovery key's words out before there is a database that
// needs them: they stand nowhere else, so nothing may fail between the two. JSON
// is one object, and goes out whole; the exit code says whether it came true.
func (p *program) giveWords(o options, v initView, words []string) (err error) {
	switch {
	case v.File != "":
		text := fmt.Sprintf("Recovery key of the weir database %q. With these words a stolen or lost manager key is replaced.\n%s", v.Name, wordTable(words))
		return host.WriteRecovery(v.File, text)
	case o.json:
		err = p.json(v)
	default:
		_, err = fmt.Fprintf(p.out, "The recovery key of %q, shown this once. With it a stolen or lost manager key is replaced;\nwrite it down and keep it away from this machine:\n%s\n", v.Name, wordTable(words))
	}
	if err != nil {
		return fmt.Errorf("the words of the recovery key could not be printed: %w; nothing was founded", err)
	}
	return nil
}

// unfounded says whether founding would leave everything alone that is there: a
// database of the same name, which is a command given twice, and above all the
// words of another database's recovery key, which stand nowhere else.
func unfounded(dir host.Directory, name, recovery string) error {
	all, err := dir.Databases()
	if err != nil {
		return err
	}
	for _, db := range all {
		if db.Role == roleManager && db.Name == name {
			return fmt.Errorf("%s has a database %q already; found another with another --name or --dir", dir, name)
		}
	}
	if recovery == "" {
		return nil
	}
	return dir.TakesRecovery(recovery)
}

// besideIt is said of a recovery file that is lost with the key it replaces.
const besideIt = "that file is on the same disk as the data directory, and is lost or stolen with it: take it to another medium, and remove it here"

// undo takes back what a command has made, so that it can be given again. What
// was there before it never has.
type undo struct {
	files []string
	dirs  []string // removed only where nothing is in them
}

// made notes files that were just made.
func (u *undo) made(files ...string) { u.files = append(u.files, files...) }

// directories notes those of a path that are yet to be made, the deepest first.
func (u *undo) directories(path string) {
	for {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return
		}
		u.dirs = append(u.dirs, path)
		path = filepath.Dir(path)
	}
}

func (u *undo) run() error {
	var errs []error
	for _, f := range slices.Backward(u.files) {
		if err := os.Remove(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	for _, d := range u.dirs {
		_ = os.Remove(d) // others may have put something into it meanwhile
	}
	return errors.Join(errs...)
}
