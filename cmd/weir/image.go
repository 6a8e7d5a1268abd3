package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"weir/internal/control"
	"weir/internal/host"
)

func imageFlags() []cli.Flag {
	return []cli.Flag{&cli.StringFlag{Name: "image", Usage: "read it from its QR code in `PHOTO`, a PNG or JPEG picture"}}
}

// linkOf is the link or code that a command is given, typed or in a picture.
func (p *program) linkOf(c *cli.Context, called string) (string, error) {
	image := c.String("image")
	switch {
	case image == "" && c.NArg() == 0:
		return "", usagef("say the %s, or name a picture of its QR code with --image PHOTO", called)
	case image == "":
		return host.FindLink(c.Args().First())
	case c.NArg() > 0:
		return "", usagef("the %s is typed and --image names a picture: only one can be meant", called)
	}
	found, err := host.ReadImage(image)
	if err != nil {
		return "", err
	}
	if len(found) == 1 {
		return found[0].Link, nil
	}
	var options []string
	invitations := 0
	for _, f := range found {
		options = append(options, f.What)
		if f.Invites {
			invitations++
		}
	}
	if invitations > 1 {
		return "", usagef("%s shows %d invitations, and each is for one person: by another card than yours you would take somebody else's place. Take a photo of your own card alone, or cover the others", image, invitations)
	}
	n, err := p.choose(c.Context, fmt.Sprintf("%s shows %d codes. Which one is meant?", image, len(found)), options)
	if err != nil {
		return "", err
	}
	return found[n].Link, nil
}

// choose asks which of several things is meant.
func (p *program) choose(ctx context.Context, question string, options []string) (int, error) {
	list := question
	for i, o := range options {
		list += fmt.Sprintf("\n  %d  %s", i+1, o)
	}
	if !p.terminal() {
		return 0, usagef("%s\nNobody can be asked here: make a picture with only that one in it", list)
	}
	fmt.Fprintf(p.err, "%s\nNumber [1-%d]: ", list, len(options))
	line, err := typed(ctx, func() (string, error) { return bufio.NewReader(p.in).ReadString('\n') })
	if ctx.Err() != nil {
		fmt.Fprintln(p.err)
		return 0, ctx.Err()
	}
	if n, bad := strconv.Atoi(strings.TrimSpace(line)); err == nil && bad == nil && n >= 1 && n <= len(options) {
		return n - 1, nil
	}
	return 0, &control.Error{Code: host.CodeError, Text: "none of them was chosen; nothing was done"}
}

// writable says before anything is made whether a file can be written; "" is none.
func writable(path string) error {
	if path == "" {
		return nil
	}
	if i, err := os.Stat(path); err == nil && i.IsDir() {
		return usagef("%s is a directory, and a file is wanted; nothing was made", path)
	}
	t, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("%w; nothing was made", err)
	}
	t.Close()
	return os.Remove(t.Name())
}
