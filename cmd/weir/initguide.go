package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/urfave/cli/v2"

	"weir/internal/host"
	"weir/keys"
	"weir/ledger"
	"weir/ledger/wire"
)

// leadInit asks what a new database is to be, and sets the flags that say so.
// What was said by flags already is not asked.
func (g *guide) leadInit(c *cli.Context, o options) error {
	g.say("A database is founded now: the accounts of a group, in %s.\n"+
		"Every answer can be the one in brackets: Enter takes it. Ctrl-C ends it all, and\nleaves nothing behind.\n", o.dir)
	probe := func(flag string) func(string) error {
		return func(answer string) error {
			if err := c.Set(flag, answer); err != nil {
				return errors.New("a number is wanted")
			}
			if n, err := ledger.ParseAmount(answer, c.Int("scale")); flag == "lower" && err == nil && n > 0 {
				return fmt.Errorf("it is how far below zero; did you mean -%s?", answer)
			}
			charter, err := charterOf(c)
			if err == nil {
				err = encodes(charter)
			}
			return plainly(err)
		}
	}
	for _, q := range []struct {
		flag, why, question string
	}{
		{"name", "", "What is it called, for everybody who takes part"},
		{"unit", "\nWhat is counted? A word of up to 8 letters: HRS for hours, EUR, KG.", "Unit"},
		{"scale", "\nHow many places behind the point has an amount? With 2, the smallest is 0.01 {unit}.", "Decimal places"},
		{"lower", "\nHow far below zero may a member go? -100 means: somebody who has given nothing yet may\n" +
			"take 100 {unit}. That is the credit which everybody gives everybody; 0 means none.", "Lowest balance"},
		{"upper", "\nHow far above zero? 1000 means: who has 1000 {unit} must spend before being paid again.\n" +
			"It keeps anybody from taking in what the others cannot give back.", "Highest balance"},
	} {
		if c.IsSet(q.flag) {
			continue
		}
		if q.why != "" {
			g.say("%s", strings.ReplaceAll(q.why, "{unit}", c.String("unit")))
		}
		def := ""
		if q.flag != "name" {
			def = fmt.Sprint(c.Value(q.flag))
		}
		if _, err := g.ask(q.question, def, probe(q.flag)); err != nil {
			return err
		}
	}
	for _, q := range []struct{ flag, why, question string }{
		{"encrypted", "\nWho may read it? Normally everybody: names, payments and balances are public, and\n" +
			"everybody can check them. Encrypted, only members can, and whom one of them gives the\n" +
			"key. It is one key for ever, so whoever has had it can read what comes later too.", "Encrypt it?"},
		{"approval", "\nWho becomes a member? Whoever has an invitation, as soon as they use it; or only when\n" +
			"you have seen their name and said so, with weir manager approve.", "Do you want to approve each one?"},
	} {
		if c.IsSet(q.flag) {
			continue
		}
		g.say("%s", q.why)
		on, err := g.yes(q.question, false)
		if err != nil {
			return err
		}
		if err := c.Set(q.flag, fmt.Sprint(on)); err != nil {
			return err
		}
	}
	if c.IsSet("recovery") {
		return nil
	}
	g.say("\nA database has a second key, the recovery key. With it you replace your own when that is\n" +
		"stolen or lost. It is kept nowhere on this computer: its 24 words are shown once, for\n" +
		"paper, or written to a file on another medium, say a USB stick.")
	_, err := g.ask("A file on another medium, or Enter for paper", "paper", func(file string) error {
		if file == "paper" {
			return nil
		}
		switch strings.ToLower(file) {
		case "yes", "y", "no", "n":
			return errors.New("the name of a file is wanted, with its folder; Enter alone means paper")
		}
		if err := unfounded(o.dir, "", file); err != nil {
			return err
		}
		return c.Set("recovery", file)
	})
	if file := c.String("recovery"); err == nil && file != "" && o.dir.Beside(file) {
		g.p.remark(besideIt)
	}
	return err
}

// flagsBefore are the flags that an error begins with.
var flagsBefore = regexp.MustCompile(`^(?:--[a-z]+(?: [^ :]+)* ?)+: `)

// plainly is what is wrong with an answer, for somebody who has typed no flag.
func plainly(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(flagsBefore.ReplaceAllString(err.Error(), ""))
}

// encodes says whether a charter will be one, before there are keys for it.
func encodes(charter wire.Charter) error {
	var seed keys.Seed
	stand := keys.Derive(seed)
	charter.Manager, charter.Log, charter.Seal, charter.Recovery = stand.Public(), stand.LogPublic(), stand.SealPublic(), stand.Public()
	charter.Recovery[0] ^= 1
	_, err := charter.Encode()
	if what := errors.Unwrap(err); what != nil {
		return what // and not that a charter was to be written
	}
	return err
}

// sureInit shows what will be founded, and asks.
func (g *guide) sureInit(o options, charter wire.Charter, own owner, recovery string) error {
	amount := func(n int64) string { return ledger.FormatAmount(n, charter.Scale) + " " + charter.Unit }
	g.say("\nThis will be founded:\n\n  name      %s\n  unit      %s, with %s\n  limits    %s to %s for a new member; each member's can be changed later\n  readers   %s\n  joining   %s\n"+
		"  key       %s\n  recovery  %s\n  place     %s\n\nName, unit, decimal places, limits of new members, who can read and how one joins stay for\never.",
		charter.Name, charter.Unit, count(charter.Scale, "decimal place", "decimal places"), amount(charter.Lower), amount(charter.Upper),
		yes(charter.Encrypted, "members only: it is encrypted", "everybody"),
		yes(charter.Approval, "by an invitation, once you approve", "by an invitation"), own.how(),
		yes(recovery == "", "24 words for paper", "24 words in "+recovery), o.dir)
	return g.sure("Found it?")
}

// founderWords has the words of a manager's own key and of the recovery key
// copied; noted says whether the own are on paper.
func (g *guide) founderWords(own owner, recovery []string, file string) (noted bool, err error) {
	if own.fresh {
		if noted, err = g.ownWords(own); err != nil {
			return false, err
		}
	}
	if file != "" {
		return noted, nil
	}
	g.say("\nThe 24 words of the recovery key, shown this once: they are stored nowhere. Write them\n" +
		"on another sheet, and keep that away from this computer and from the first one. With\n" +
		"them a stolen or lost manager key is replaced.")
	_, err = g.copied("the recovery key", recovery, func() (bool, error) {
		return g.yes("They stand nowhere else, and nothing can show them later. Go on unchecked?", false)
	})
	return noted, err
}

// ownWords has the words of somebody's own new key copied.
func (g *guide) ownWords(own owner) (bool, error) {
	g.say("\nThe 24 words of your own key. With them you make it again when this computer is lost;\n" +
		"whoever else has them can act as you. Write them on paper, in their order.")
	return g.copied("your key", keys.Words(own.seed), func() (bool, error) {
		g.say("  Put off. weir keys words --check shows them and asks again; until then weir reminds you.")
		return true, nil
	})
}

// owner is the key that a command goes on with: the directory's, or a new one that
// is yet to be written.
type owner struct {
	id         *keys.Identity
	seed       keys.Seed // of a new one
	fresh      bool
	passphrase string // of a new one; "": none
}

// how says how the key is kept.
func (w owner) how() string {
	switch {
	case !w.fresh:
		return "the one of this directory"
	case w.passphrase == "":
		return "new, NOT locked: whoever reads its file can act as you"
	}
	return "new, locked with a passphrase"
}

// write writes a new key into the directory.
func (p *program) write(o options, w owner) error {
	if !w.fresh {
		return nil
	}
	if err := o.dir.Key().Create(w.seed, w.passphrase); err != nil {
		return err
	}
	p.own = w.id
	return nil
}

// note remembers that the words of a key are on paper. It says so where that
// fails, and goes on: whoever is asked once more has lost nothing.
func (p *program) noted(o options, w owner) {
	if err := o.dir.SetWritten(w.id.Public()); err != nil {
		fmt.Fprintln(p.err, "note: "+err.Error())
	}
}

// command is how a command is typed for the directory of these options.
func (o options) command(words string) string {
	if !o.named {
		return words
	}
	return words + " --dir " + host.Quoted(string(o.dir))
}
