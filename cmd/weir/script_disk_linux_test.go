package main

import (
	"fmt"
	"os"
	"os/exec"

	"github.com/rogpeppe/go-internal/testscript"
)

// canMount says whether this machine lets us make a small disk. In CI it must.
func canMount() (bool, error) {
	dir, err := os.MkdirTemp("", "weir-disk-")
	if err != nil {
		return false, err
	}
	defer os.Remove(dir)
	out, err := exec.Command("sh", "-c", `mount -t tmpfs -o size=1m weir "$0" && umount "$0"`, dir).CombinedOutput()
	if err != nil && os.Getenv("CI") == "true" {
		return false, fmt.Errorf("mount a tmpfs (root): %w: %s", err, out)
	}
	return err == nil, nil
}

// disk DIRECTORY SIZE makes a disk of a size, until the script ends.
func disk(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: disk DIRECTORY SIZE")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+args[1], "weir", dir).CombinedOutput(); err != nil {
		ts.Fatalf("mount: %v: %s", err, out)
	}
	ts.Defer(func() { exec.Command("umount", "-l", dir).Run() })
}
