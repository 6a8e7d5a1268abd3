package main

import (
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"
)

// versionView says which program this is.
type versionView struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"` // of the source
	Time     string `json:"time,omitempty"`     // of the revision
	Changed  bool   `json:"changed,omitempty"`  // the source was changed since
	Go       string `json:"go"`
	System   string `json:"system"`
}

// unversioned is the version of a program whose build says none.
const unversioned = "v0.0.0"

// built reads what the build has written into the program.
func built(info *debug.BuildInfo, ok bool) versionView {
	v := versionView{Version: unversioned, Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	if !ok {
		return v
	}
	if m := info.Main.Version; m != "" && m != "(devel)" {
		v.Version = m
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.time":
			v.Time = s.Value
		case "vcs.modified":
			v.Changed = s.Value == "true"
		}
	}
	return v
}

func (p *program) version() *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "say which version of the program this is",
		Flags: []cli.Flag{jsonFlag()},
		Action: func(c *cli.Context) error {
			v := built(debug.ReadBuildInfo())
			return p.show(c.Bool("json"), v, func() { p.printf("weir %s (%s, %s)\n", v.Version, v.System, v.Go) })
		},
	}
}
