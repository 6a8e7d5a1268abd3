package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"weir/internal/host"
	"weir/keys"
	"weir/keys/keyfile"
)

func (p *program) keys() *cli.Command {
	return &cli.Command{
		Name:  "keys",
		Usage: "make, show, write down and restore the key of a directory",
		Subcommands: []*cli.Command{
			{Name: "new", Usage: "make a key", Flags: flags(common(), passphraseFlags()), Action: p.keysNew},
			{Name: "show", Usage: "print the public key", Flags: common(), Action: p.keysShow},
			{Name: "words", Usage: "print the 24 words that the key can be made from again", Flags: flags(common(), passphraseFlags(), []cli.Flag{
				&cli.BoolFlag{Name: "check", Usage: "ask two of them back, and remember that they are on paper"},
			}), Action: p.keysWords},
			{Name: "recover", Usage: "make the key again from its 24 words, typed or from standard input", Flags: flags(common(), passphraseFlags(), []cli.Flag{
				&cli.BoolFlag{Name: "replace", Usage: "in the place of the same key, of which the passphrase was forgotten or the file is damaged"},
			}), Action: p.keysRecover},
			{Name: "passphrase", Usage: "change the passphrase, or take it away", Flags: flags(common(), passphraseFlags(), []cli.Flag{
				&cli.StringFlag{Name: "new-passphrase-file", Usage: "the new passphrase is the first line of `FILE`", EnvVars: []string{"WEIR_NEW_PASSPHRASE_FILE"}},
			}), Action: p.keysPassphrase},
		},
	}
}

// keyView is a public key with --json.
type keyView struct {
	Key       string `json:"key"`  // hex
	Text      string `json:"text"` // as people pass it on
	File      string `json:"file"`
	Encrypted bool   `json:"encrypted"`
}

func viewKey(f keyfile.File, k keys.Public) (keyView, error) {
	on, err := f.Encrypted()
	return keyView{Key: hex.EncodeToString(k[:]), Text: k.String(), File: f.Path, Encrypted: on}, err
}

func (p *program) showKey(o options, f keyfile.File, k keys.Public, done string) error {
	v, err := viewKey(f, k)
	if err != nil {
		return err
	}
	return p.show(o.json, v, func() {
		how := "encrypted with a passphrase"
		if !v.Encrypted {
			how = "NOT encrypted: whoever reads the file can act as you"
		}
		p.printf("%s\nkey   %s\nfile  %s (%s)\n", done, v.Text, v.File, how)
	})
}

// newKey makes the directory's key, asking for a passphrase unless flags give
// one.
func (p *program) newKey(o options, seed keys.Seed) error {
	from, err := o.passphrase(p)
	if err != nil {
		return err
	}
	if err := o.dir.Make(); err != nil {
		return err
	}
	passphrase, err := from.New(o.c.Context)
	if err != nil {
		return err
	}
	if err := o.dir.Key().Create(seed, passphrase); err != nil {
		return err
	}
	p.own = keys.Derive(seed) // nobody is asked to open what was just made
	return nil
}

// replaceKey writes the directory's key anew, under a new passphrase.
func (p *program) replaceKey(o options, seed keys.Seed) error {
	from, err := o.passphrase(p)
	if err != nil {
		return err
	}
	if k, err := o.dir.Key().Public(); err == nil && k != keys.Derive(seed).Public() {
		return o.dir.Key().Replace(seed, "") // says so, before a passphrase is asked for
	}
	passphrase, err := from.New(o.c.Context)
	if err != nil {
		return err
	}
	return o.dir.Key().Replace(seed, passphrase)
}

// openKey reads the directory's key.
func (p *program) openKey(o options, from keyfile.Passphrase) (keys.Seed, error) {
	return o.dir.Key().Read(func() (string, error) { return from.Ask(o.c.Context) })
}

// identity opens the directory's key, once: nobody types a passphrase twice.
func (p *program) identity(o options) (*keys.Identity, error) {
	if p.own != nil {
		return p.own, nil
	}
	from, err := o.passphrase(p)
	if err != nil {
		return nil, err
	}
	seed, err := p.openKey(o, from)
	if err != nil {
		return nil, err
	}
	p.own = keys.Derive(seed)
	return p.own, nil
}

func (p *program) keysNew(c *cli.Context) error {
	o, err := p.options(c, roleMember)
	if err != nil {
		return err
	}
	seed, err := keys.NewSeed(rand.Reader)
	if err != nil {
		return err
	}
	if err := p.newKey(o, seed); err != nil {
		return err
	}
	return p.showKey(o, o.dir.Key(), keys.Derive(seed).Public(), "A new key was made. Write its words down: weir keys words.")
}

func (p *program) keysShow(c *cli.Context) error {
	o, err := p.options(c, roleMember)
	if err != nil {
		return err
	}
	if _, err := os.Stat(o.dir.Key().Path); err != nil {
		return fmt.Errorf("show the key %s: %w", o.dir.Key().Path, keyfile.ErrNotFound)
	}
	k, err := o.dir.Key().Public()
	if err != nil {
		return err
	}
	return p.showKey(o, o.dir.Key(), k, "The public key of this directory:")
}

func (p *program) keysWords(c *cli.Context) error {
	o, err := p.options(c, roleMember)
	if err != nil {
		return err
	}
	from, err := o.passphrase(p)
	if err != nil {
		return err
	}
	seed, err := p.openKey(o, from)
	if errors.Is(err, keyfile.ErrNotFound) && c.String("dir") == "" {
		return p.managersKey(err)
	}
	if err != nil {
		return err
	}
	words := keys.Words(seed)
	if c.Bool("check") {
		return p.checkWords(c, o, seed)
	}
	return p.show(o.json, map[string]any{"words": words}, func() {
		p.printf("Whoever has these words can act as you. Keep them on paper.\n%s", wordTable(words))
	})
}

// managersKey names the manager's directory to whoever has a key only there.
func (p *program) managersKey(none error) error {
	dir, err := defaultDir(roleManager)
	if err != nil {
		return none
	}
	if has, err := host.Directory(dir).HasKey(); err != nil || !has {
		return none
	}
	return usagef("there is no member's key here; your manager's is in %s: weir keys words --dir %s", dir, host.Quoted(dir))
}

// checkWords shows the words and asks two of them back.
func (p *program) checkWords(c *cli.Context, o options, seed keys.Seed) error {
	if !p.leads(o) {
		return usagef("--check asks for words, and there is no terminal to ask on")
	}
	own := owner{id: keys.Derive(seed), seed: seed}
	g := &guide{p: p, ctx: c.Context}
	noted, err := g.ownWords(own)
	if err == nil && noted {
		err = o.dir.SetWritten(own.id.Public())
	}
	return err
}

// wordTable numbers the words, four a line.
func wordTable(words []string) string {
	var b strings.Builder
	for i, w := range words {
		fmt.Fprintf(&b, "%3d %-10s", i+1, w)
		if i%4 == 3 {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func (p *program) keysRecover(c *cli.Context) error {
	o, err := p.options(c, roleMember)
	if err != nil {
		return err
	}
	seed, err := p.wordsOf(c, "", "a key")
	if err != nil {
		return err
	}
	if c.Bool("replace") {
		err = p.replaceKey(o, seed)
	} else {
		err = p.newKey(o, seed)
	}
	if errors.Is(err, keyfile.ErrExists) {
		return fmt.Errorf("%w. If these are its words, and its passphrase is forgotten or the file is damaged, weir keys recover --replace makes it anew under a new passphrase; for another key use another --dir", err)
	}
	if err != nil {
		return err
	}
	if err := o.dir.SetWritten(keys.Derive(seed).Public()); err != nil { // who typed them has them
		return err
	}
	return p.showKey(o, o.dir.Key(), keys.Derive(seed).Public(), "The key was made again from its words.")
}

func (p *program) keysPassphrase(c *cli.Context) error {
	o, err := p.options(c, roleMember)
	if err != nil {
		return err
	}
	// --no-passphrase is of the new one here: a key that has none is not asked for it.
	flag, value, err := o.source(p, "passphrase-file", "passphrase-command")
	if err != nil {
		return err
	}
	old := p.from(flag, value)
	if flag, value, err = o.source(p, "no-passphrase", "new-passphrase-file"); err != nil {
		return err
	}
	next := p.from(flag, value)
	seed, err := p.openKey(o, old)
	if err != nil {
		return err
	}
	passphrase, err := next.New(c.Context)
	if err != nil {
		if errors.Is(err, keyfile.ErrNoPassphrase) {
			return usagef("say what the new passphrase is: --new-passphrase-file FILE, or --no-passphrase for none")
		}
		return err
	}
	if err := o.dir.Key().Rewrite(seed, passphrase); err != nil {
		return err
	}
	done := "The passphrase was changed."
	if passphrase == "" {
		done = "The passphrase was taken away."
	}
	return p.showKey(o, o.dir.Key(), keys.Derive(seed).Public(), done)
}
