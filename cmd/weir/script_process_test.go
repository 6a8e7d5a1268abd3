package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// Waiting in scripts is looking again, so often and so long. A script that
// works waits far shorter; the rest is for a machine that is busy.
const (
	lookEvery = 100 * time.Millisecond
	fileEvery = 2 * time.Millisecond // costs no process, and catches what is brief
	lookFor   = 60 * time.Second
)

// process is a background process of a script. What it prints is in NAME.out
// and NAME.err.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed once code is there
	code int           // -1: killed by a signal
}

// processes are a script's background processes by name.
type processes struct{ running map[string]*process }

type processesKey struct{}

func of(ts *testscript.TestScript) *processes {
	return ts.Value(processesKey{}).(*processes)
}

// start NAME PROGRAM ARGUMENT... starts a process in the background. The same
// name may be started again once it has ended; its files go on.
func start(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start NAME PROGRAM ARGUMENT...")
	}
	all, name := of(ts), args[0]
	if all.running[name] != nil {
		ts.Fatalf("%s runs already", name)
	}
	out, err := os.OpenFile(ts.MkAbs(name+".out"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	defer out.Close()
	errs, err := os.OpenFile(ts.MkAbs(name+".err"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	defer errs.Close()
	p := &process{cmd: exec.Command(lookPath(ts, args[1]), args[2:]...), done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = ts.MkAbs("."), out, errs
	p.cmd.Env = environment(ts)
	ts.Check(p.cmd.Start())
	all.running[name] = p
	ts.Defer(func() {
		p.cmd.Process.Kill()
		<-p.done
	})
	go func() {
		p.cmd.Wait()
		p.code = p.cmd.ProcessState.ExitCode()
		close(p.done)
	}()
}

// environment is the variables of the script that processes need.
func environment(ts *testscript.TestScript) []string {
	env := []string{"PWD=" + ts.MkAbs(".")}
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "XDG_DATA_HOME", "WEIR_BOOTSTRAP", "WEIR_CYCLE", "WEIR_FOLLOW", "GOCOVERDIR", "GORACE"} {
		if v := ts.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}

func lookPath(ts *testscript.TestScript, program string) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		path := filepath.Join(dir, program)
		if i, err := os.Stat(path); err == nil && i.Mode()&0o111 != 0 {
			return path
		}
	}
	ts.Fatalf("there is no program %s", program)
	return ""
}

func (all *processes) get(ts *testscript.TestScript, name string) *process {
	p := all.running[name]
	if p == nil {
		ts.Fatalf("no process %s", name)
	}
	return p
}

// ended NAME CODE waits until a process ends by itself and compares its exit
// code.
func ended(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: ended NAME CODE")
	}
	all := of(ts)
	p := all.get(ts, args[0])
	select {
	case <-p.done:
	case <-time.After(lookFor):
		ts.Fatalf("%s does not end", args[0])
	}
	delete(all.running, args[0])
	if code := strconv.Itoa(p.code); code != args[1] {
		said, _ := os.ReadFile(ts.MkAbs(args[0] + ".err"))
		ts.Fatalf("%s ended with %s, not %s; it said:\n%s", args[0], code, args[1], said)
	}
}

// end NAME [CODE] interrupts a process as Ctrl-C does and waits for it.
func end(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: end NAME [CODE]")
	}
	if len(args) == 1 {
		args = append(args, "0")
	}
	ts.Check(of(ts).get(ts, args[0]).cmd.Process.Signal(syscall.SIGINT))
	ended(ts, false, args)
}

// crash NAME kills a process with SIGKILL: it has no moment left for anything.
func crash(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: crash NAME")
	}
	ts.Check(of(ts).get(ts, args[0]).cmd.Process.Kill())
	ended(ts, false, []string{args[0], "-1"})
}

// dht [NODES] starts weir dht and makes it the DHT of what follows.
func startDHT(ts *testscript.TestScript, neg bool, args []string) {
	nodes := "24"
	if len(args) == 1 {
		nodes = args[0]
	}
	start(ts, neg, []string{"dht", "weir", "dht", "--nodes", nodes, "--json"})
	waitFor(ts, false, []string{`}\n`, "dht.out"})
	var list []string
	value := read(ts, ts.ReadFile("dht.out"), "bootstrap")
	for _, a := range value.([]any) {
		list = append(list, a.(string))
	}
	ts.Setenv("WEIR_BOOTSTRAP", strings.Join(list, ","))
}

// exits CODE PROGRAM ARGUMENT... runs a program that ends with exactly this
// code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGUMENT...")
	}
	if code := strconv.Itoa(exitCode(ts, ts.Exec(args[1], args[2:]...))); code != args[0] {
		ts.Fatalf("%s ended with %s, not %s", strings.Join(args[1:], " "), code, args[0])
	}
}

func exitCode(ts *testscript.TestScript, err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	ts.Check(err)
	return 0
}

// repeat TIMES PROGRAM ARGUMENT... runs a program so many times; each must
// succeed.
func repeat(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: repeat TIMES PROGRAM ARGUMENT...")
	}
	times, err := strconv.Atoi(args[0])
	ts.Check(err)
	for range times {
		ts.Check(ts.Exec(args[1], args[2:]...))
	}
}

// until REGEXP PROGRAM ARGUMENT... runs a program again and again until it
// succeeds and what it prints matches.
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until REGEXP PROGRAM ARGUMENT...")
	}
	want, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	path := lookPath(ts, args[1])
	var out, errs bytes.Buffer
	if !looking(func() bool {
		out.Reset()
		errs.Reset()
		c := exec.Command(path, args[2:]...)
		c.Dir, c.Env, c.Stdout, c.Stderr = ts.MkAbs("."), environment(ts), &out, &errs
		return c.Run() == nil && want.Match(out.Bytes())
	}) {
		fmt.Fprint(ts.Stdout(), out.String())
		fmt.Fprint(ts.Stderr(), errs.String())
		ts.Fatalf("%s does not come to print %s", strings.Join(args[1:], " "), args[0])
	}
	fmt.Fprint(ts.Stdout(), out.String())
}

// waitfor REGEXP FILE waits until a file's text matches.
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: waitfor REGEXP FILE")
	}
	want, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	var b []byte
	if !lookingEach(fileEvery, func() bool {
		b, _ = os.ReadFile(ts.MkAbs(args[1]))
		return want.Match(b)
	}) {
		ts.Fatalf("%s does not come to have %s; it has\n%s", args[1], args[0], b)
	}
}

// looking calls f until it is true, for a limited time.
func looking(f func() bool) bool { return lookingEach(lookEvery, f) }

func lookingEach(pause time.Duration, f func() bool) bool {
	again := time.NewTicker(pause)
	defer again.Stop()
	late := time.After(lookFor)
	for !f() {
		select {
		case <-late:
			return false
		case <-again.C:
		}
	}
	return true
}
