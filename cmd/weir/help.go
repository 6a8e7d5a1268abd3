package main

import (
	"embed"
	"io/fs"
	"strings"

	"github.com/urfave/cli/v2"
)

// topics are the texts of weir help TOPIC, a file each.
//
//go:embed topics/*.txt
var topics embed.FS

// topicNames lists the topics, sorted.
func topicNames() []string {
	files, err := fs.Glob(topics, "topics/*.txt")
	if err != nil {
		return nil // of a pattern that does not read, which this one does
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(strings.TrimPrefix(f, "topics/"), ".txt")
	}
	return files
}

// help lists the commands and the topics, or explains one of these.
func (p *program) help() *cli.Command {
	return &cli.Command{
		Name:      "help",
		Usage:     "list the commands, or explain a topic: " + strings.Join(topicNames(), ", "),
		ArgsUsage: "[TOPIC]",
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				if err := cli.ShowAppHelp(c); err != nil {
					return err
				}
				p.printf("\nTOPICS:\n   weir help TOPIC explains one of: %s\n", strings.Join(topicNames(), ", "))
				return nil
			}
			text, err := topics.ReadFile("topics/" + c.Args().First() + ".txt")
			if err == nil {
				p.printf("%s", text)
				return nil
			}
			names := topicNames()
			if like := near(c.Args().First(), names); like != "" {
				return usagef("there is no topic %s; did you mean weir help %s?", c.Args().First(), like)
			}
			return usagef("there is no topic %s; there are %s", c.Args().First(), strings.Join(names, ", "))
		},
	}
}
