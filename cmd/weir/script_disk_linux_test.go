package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"

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

// room NAME FILE BYTES lets a process that runs write FILE, and every other one, only
// to so many bytes behind FILE's end: a write that goes further ends in its middle, as
// on a disk that is full. room NAME takes the limit away.
func room(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 && len(args) != 3 {
		ts.Fatalf("usage: room NAME [FILE BYTES]")
	}
	limit := "unlimited"
	if len(args) == 3 {
		i, err := os.Stat(ts.MkAbs(args[1]))
		ts.Check(err)
		more, err := strconv.ParseInt(args[2], 10, 32)
		ts.Check(err)
		limit = strconv.FormatInt(i.Size()+more, 10)
	}
	pid := strconv.Itoa(of(ts).get(ts, args[0]).cmd.Process.Pid)
	if out, err := exec.Command("prlimit", "--pid", pid, "--fsize="+limit+":unlimited").CombinedOutput(); err != nil {
		ts.Fatalf("prlimit: %v: %s", err, out)
	}
}
