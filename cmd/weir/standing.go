package main

import (
	"path/filepath"

	"github.com/urfave/cli/v2"

	"weir/internal/host"
)

// standing is weir alone: how things stand on this machine, and what is next.
func (p *program) standing(c *cli.Context) error {
	var out struct {
		Directories []host.StandingView `json:"directories"`
		Next        *host.Step          `json:"next"` // null: nothing is set up
	}
	named := c.String("dir")
	if named != "" {
		dir, err := filepath.Abs(named)
		if err != nil {
			return err
		}
		out.Directories = append(out.Directories, host.Directory(dir).Standing(c.Context, ""))
	}
	for _, role := range []string{roleManager, roleMember} {
		dir, err := defaultDir(role)
		if err != nil {
			return err
		}
		if len(out.Directories) == 0 || out.Directories[0].Dir != dir {
			out.Directories = append(out.Directories, host.Directory(dir).Standing(c.Context, role))
		} else {
			out.Directories[0].Role = role
		}
	}
	if err := c.Context.Err(); err != nil {
		return err
	}
	// Of a directory that was named, the next step is there.
	within := out.Directories
	if named != "" {
		within = within[:1]
	}
	if next, ok := host.Next(within); ok {
		out.Next = &next
	}
	return p.show(c.Bool("json"), out, func() {
		p.printf("weir: a database without a server\n\n")
		if out.Next != nil || named != "" {
			for _, v := range out.Directories {
				p.printf("%-8s %s\n         in %s\n", yes(v.Role == "", "here", v.Role), v.Line(), v.Dir)
			}
			p.printf("\n")
		}
		if out.Next == nil {
			in := ""
			if named != "" {
				in = " --dir " + host.Quoted(named)
			}
			p.printf("Nothing is set up %s yet. There are two ways to begin, and one to come back:\n\n  weir manager init%s\n      found a database for a group\n  weir member join%s\n      join one, by the link that its manager has sent you\n  weir restore FILE, weir member restore LINK, weir manager recover LINK\n      come back after a lost disk or from another computer: by a backup, or by 24 words\n\nweir demo shows all of it on this machine, in half a minute.\n",
				yes(named == "", "on this machine", "there"), in, in)
		} else {
			for _, v := range within {
				if v.Key != "" && !v.Written && v.Moved == "" {
					p.note("nobody has shown yet that the words of the key in " + v.Dir + " are on paper")
				}
			}
			p.printf("Next: %s\n\n  %s\n", out.Next.Why, out.Next.Command)
		}
		p.printf("\nweir --help lists the commands, weir help the topics too.\n")
	})
}
