package main

import (
	"github.com/urfave/cli/v2"

	"weir/internal/host"
)

func (p *program) managerEvidence(c *cli.Context) error { return p.evidence(c, roleManager) }
func (p *program) memberEvidence(c *cli.Context) error  { return p.evidence(c, roleMember) }

// evidence prints what somebody signed and cannot have meant honestly, with all
// that others need to check it.
func (p *program) evidence(c *cli.Context, role string) error {
	var v []host.EvidenceView
	return p.ask(c, role, role+" evidence", nil, &v, func(o options) error {
		return p.show(o.json, v, func() {
			if len(v) == 0 {
				p.printf("No evidence against anybody is held.\n")
			}
			for i, e := range v {
				p.printf("%s", yes(i > 0, "\n", ""))
				p.printEvidence(e)
			}
		})
	})
}

func (p *program) printEvidence(e host.EvidenceView) {
	switch e.Kind {
	case "unreadable":
		p.printf("This version of weir does not read one piece of evidence. All of it, in base64:\n%s\n", e.Bytes)
		return
	case "two_changes":
		p.printf("The member %s signed change %d twice:\n", e.Key, e.Changes[0].Number)
		for _, s := range e.Changes {
			p.printf("  chain %s\n  signature %s\n", s.Chain, s.Sig)
		}
	default:
		one, other := e.Checkpoints[0], e.Checkpoints[1]
		p.printf("The manager %s signed two histories of this database, one with %s and one with %s:\n", e.Key, entryCount(one.Size), entryCount(other.Size))
		for _, s := range e.Checkpoints {
			p.printf("  size %d root %s\n", s.Size, s.Root)
		}
		for _, s := range e.Checkpoints {
			p.printf("\n%s", s.Note)
		}
		p.printf("\nBoth are signed notes (C2SP tlog-checkpoint) under\n%s\n", e.VerifierKey)
		if e.Root != "" {
			p.printf("\nAt size %d the larger one has the root\n%s\nand the proof that it does, by RFC 6962, 2.1.2, is\n", one.Size, e.Root)
			for _, h := range e.Proof {
				p.printf("  %s\n", h)
			}
		}
	}
	p.printf("%s\nAll of it, as SPEC.md 13 lays it out, in base64:\n%s\n", yes(e.Verified, "", "\nIt does not verify: it proves nothing."), e.Bytes)
}

// evidenceText is a line of status, when there is evidence.
func evidenceText(held int, role string) string {
	if held == 0 {
		return ""
	}
	return "evidence  " + count(held, "pair", "pairs") + " of signed contradictions held; weir " + role + " evidence prints what there is\n"
}
