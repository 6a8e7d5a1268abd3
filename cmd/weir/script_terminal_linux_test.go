package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"unsafe"

	"github.com/rogpeppe/go-internal/testscript"
)

// typing CODE DIALOGUE PROGRAM ARGUMENT... runs a program on a terminal of its
// own and compares its exit code. A line of the file DIALOGUE is
//
//	PROMPT -> KEYS
//	PROMPT ~> KEYS
//
// and types the keys, with Go's escapes, once the prompt is there; with ~> also
// not before the terminal has ceased to show what is typed. In the keys <word> is
// the word that was asked for last, of the table of words that was shown last,
// <$NAME> a variable of the script, <$NAME/9> that with a line break after every
// nine characters, <$NAME!9> that with a slip at the ninth, and <@FILE> what a file
// has in it. What the terminal
// showed is the stdout of the command, and with -args -screens FILE it is added to
// that file. However the program ended, the terminal must show again what is typed,
// and nothing of it may be left to the shell, which would run it.
func typing(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: typing CODE DIALOGUE PROGRAM ARGUMENT...")
	}
	t := openTerminal(ts)
	defer t.master.Close()
	// The shell leads the session: when a leader ends, the terminal is reset and
	// no longer tells how the program left it.
	const leader = `trap : INT; "$@"; code=$?; stty -a | grep -q ' -echo ' && exit 99
		stty -icanon min 0 time 0; [ -z "$(dd bs=4096 count=1 2>/dev/null)" ] || exit 98; exit $code`
	cmd := exec.Command("/bin/sh", append([]string{"-c", leader, "sh", lookPath(ts, args[2])}, args[3:]...)...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), environment(ts)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = t.slave, t.slave, t.slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	ts.Check(cmd.Start())
	t.slave.Close()
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	over := false
	defer func() {
		if !over {
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-done
		}
		<-t.drained
		fmt.Fprint(ts.Stdout(), t.text())
		if *screens != "" {
			ts.Check(addScreen(*screens, args[2:], t.text()))
		}
	}()

	seen := 0
	for _, line := range strings.Split(strings.TrimRight(ts.ReadFile(args[1]), "\n"), "\n") {
		prompt, keys, hidden := strings.Cut(line, " ~> ")
		if !hidden {
			prompt, keys, _ = strings.Cut(line, " -> ")
		}
		keys, err := strconv.Unquote(`"` + keys + `"`)
		ts.Check(err)
		if !looking(func() bool {
			at := strings.Index(t.text()[seen:], prompt)
			if at < 0 || hidden && t.echoes() {
				return false
			}
			seen += at + len(prompt)
			return true
		}) {
			ts.Fatalf("%q is not asked", prompt)
		}
		_, err = t.master.WriteString(t.filled(ts, keys))
		ts.Check(err)
	}
	var err error
	if !looking(func() bool {
		select {
		case err = <-done:
			over = true
		default:
		}
		return over
	}) {
		ts.Fatalf("%s does not end", strings.Join(args[2:], " "))
	}
	switch code := strconv.Itoa(exitCode(ts, err)); {
	case code == "99":
		ts.Fatalf("%s left a terminal that does not show what is typed", strings.Join(args[2:], " "))
	case code == "98":
		ts.Fatalf("%s left what was typed to whoever reads next, which is the shell", strings.Join(args[2:], " "))
	case code != args[0]:
		ts.Fatalf("%s ended with %s, not %s", strings.Join(args[2:], " "), code, args[0])
	}
}

var (
	wordAsked  = regexp.MustCompile(`Word (\d+): $`)
	wordsShown = regexp.MustCompile(`(?m)^(?: *\d+ [a-z]+ *){4}$`) // a line of a table
	wordShown  = regexp.MustCompile(`(\d+) ([a-z]+)`)
	keysFilled = regexp.MustCompile(`<(word|@[a-z.-]+|\$[A-Z]+(?:[/!]\d+)?)>`)
)

var screens = flag.String("screens", "", "add what the terminals of scripts showed to `FILE`")

// addScreen adds a command and what its terminal showed to a file.
func addScreen(path string, command []string, text string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if at := strings.LastIndex(line, clearLine); at >= 0 { // what was written over is not seen any more
			lines[i] = line[at+len(clearLine):]
		}
	}
	_, err = fmt.Fprintf(f, "$ %s\n%s\n", strings.Join(command, " "), strings.Join(lines, "\n"))
	return errors.Join(err, f.Close())
}

// clearLine clears a line of a terminal, from where the cursor is.
const clearLine = "\x1b[K"

// filled puts words and variables into keys that are typed.
func (t *terminal) filled(ts *testscript.TestScript, keys string) string {
	return keysFilled.ReplaceAllStringFunc(keys, func(hole string) string {
		if file, ok := strings.CutPrefix(hole, "<@"); ok {
			return strings.TrimSpace(ts.ReadFile(strings.TrimSuffix(file, ">")))
		}
		if hole != "<word>" {
			m := keysFilled.FindStringSubmatch(hole)[1]
			at := strings.IndexAny(m+"/", "/!")
			value := ts.Getenv(m[1:at])
			if n, err := strconv.Atoi(m[min(at+1, len(m)):]); err == nil && m[at] == '/' {
				value = regexp.MustCompile(fmt.Sprintf(".{%d}", n)).ReplaceAllString(value, "$0\n")
			} else if err == nil {
				slip := "A"
				if value[n-1:n] == slip {
					slip = "B"
				}
				value = value[:n-1] + slip + value[n:]
			}
			return value
		}
		var asked []string
		if !looking(func() bool { asked = wordAsked.FindStringSubmatch(t.text()); return asked != nil }) {
			ts.Fatalf("no word is asked")
		}
		var found string
		for _, m := range wordShown.FindAllStringSubmatch(strings.Join(wordsShown.FindAllString(t.text(), -1), "\n"), -1) {
			if m[1] == asked[1] {
				found = m[2]
			}
		}
		return found
	})
}

// terminal is a pseudo-terminal and what it has shown.
type terminal struct {
	master, slave *os.File
	drained       chan struct{} // closed once nobody has the slave open

	mu    sync.Mutex
	shown bytes.Buffer // owned by mu
}

func openTerminal(ts *testscript.TestScript) *terminal {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	ts.Check(err)
	t := &terminal{master: master, drained: make(chan struct{})}
	var locked, number int32
	ts.Check(t.ioctl(syscall.TIOCSPTLCK, unsafe.Pointer(&locked)))
	ts.Check(t.ioctl(syscall.TIOCGPTN, unsafe.Pointer(&number)))
	t.slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	ts.Check(err)
	go func() {
		defer close(t.drained)
		b := make([]byte, 4096)
		for {
			n, err := master.Read(b)
			t.mu.Lock()
			t.shown.Write(b[:n])
			t.mu.Unlock()
			if err != nil { // the last one with the slave is gone
				return
			}
		}
	}()
	return t
}

func (t *terminal) ioctl(request uintptr, to unsafe.Pointer) error {
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, t.master.Fd(), request, uintptr(to)); errno != 0 {
		return errno
	}
	return nil
}

// text is what the terminal has shown, without its carriage returns.
func (t *terminal) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.ReplaceAll(t.shown.String(), "\r", "")
}

// echoes says whether the terminal shows what is typed.
func (t *terminal) echoes() bool {
	var state syscall.Termios
	return t.ioctl(syscall.TCGETS, unsafe.Pointer(&state)) != nil || state.Lflag&syscall.ECHO != 0
}
