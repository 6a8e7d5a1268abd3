package service

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
)

// awkward has in its paths all that a file could take for something else.
func awkward(t *testing.T, system bool) Service {
	dir := filepath.Join(t.TempDir(), `my %d & "do" $HOME's <weir>`)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Skip("no such names here:", err)
	}
	program := filepath.Join(t.TempDir(), "we ir%d;$HOME")
	for _, file := range []string{program, filepath.Join(dir, "pass phrase")} {
		if err := os.WriteFile(file, []byte("#!/bin/sh\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return Service{Role: "manager", Program: program, Dir: dir, DB: "00ff", System: system, User: "root", Home: dir, PassphraseFile: filepath.Join(dir, "pass phrase")}
}

// analyze runs systemd-analyze, or skips the test where there is none. In CI there
// must be.
func analyze(t *testing.T, args ...string) string {
	t.Helper()
	program, err := exec.LookPath("systemd-analyze")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("systemd-analyze is not installed")
		}
		t.Skip("systemd-analyze is not installed")
	}
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Errorf("systemd-analyze %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestSystemdTakesTheUnits(t *testing.T) {
	for _, system := range []bool{true, false} {
		s := awkward(t, system)
		for _, variant := range []Service{s, {Role: "member", Program: s.Program, Dir: "/srv/weir", Plain: true, System: system, User: "root"},
			{Role: "member", Program: s.Program, Dir: s.Dir, System: system, User: "root", Credential: s.PassphraseFile}} {
			unit := filepath.Join(t.TempDir(), variant.Name()+".service")
			if err := os.WriteFile(unit, []byte(variant.Text(Systemd)), 0o600); err != nil {
				t.Fatal(err)
			}
			// Words of the unit that it does not know, and paths that it reads
			// otherwise than they are meant, systemd only warns of.
			if said := analyze(t, "verify", "--man=no", unit); strings.Contains(said, variant.Name()) {
				t.Errorf("systemd says of\n%s\n%s", variant.Text(Systemd), said)
			}
		}
	}
}

func TestTheSystemsUnitIsHardened(t *testing.T) {
	s := Service{Role: "manager", Program: "/bin/true", Dir: "/srv/weir", System: true, User: "nobody"}
	unit := filepath.Join(t.TempDir(), s.Name()+".service")
	if err := os.WriteFile(unit, []byte(s.Text(Systemd)), 0o600); err != nil {
		t.Fatal(err)
	}
	said := analyze(t, "security", "--offline=yes", "--no-pager", unit)
	m := regexp.MustCompile(`Overall exposure level for .*: ([0-9.]+)`).FindStringSubmatch(said)
	if m == nil {
		t.Fatal(said)
	}
	if level, err := strconv.ParseFloat(m[1], 64); err != nil || level > 2.5 {
		t.Errorf("the exposure is %s of 10; %v\n%s", m[1], err, said)
	}
}

func TestAUnitsPathsAreReadAsTheyAreMeant(t *testing.T) {
	s := Service{Role: "member", Program: "/opt/a b/weir", Dir: `/srv/50% "of" \it $X`, PassphraseFile: "/etc/a %n"}
	for _, want := range []string{
		`ExecStart="/opt/a b/weir" member run --dir "/srv/50%% \"of\" \\it $$X" --passphrase-file %d/passphrase`,
		`ReadWritePaths="/srv/50%% \"of\" \\it $X"`,
		`LoadCredential=passphrase:/etc/a %%n`,
	} {
		if !strings.Contains(s.Text(Systemd), want+"\n") {
			t.Errorf("%s is not in\n%s", want, s.Text(Systemd))
		}
	}
	for dir, want := range map[string]bool{"/srv/weir": true, "/srv/" + strings.Repeat("long/", 30): false} {
		s.Dir = dir
		if got := strings.Contains(s.Text(Systemd), "PrivateTmp=yes\n"); got != want {
			t.Errorf("%s: its sockets are reached: %v", dir, got)
		}
	}
}

func TestLaunchdsListIsXMLAndSaysWhatIsMeant(t *testing.T) {
	for _, system := range []bool{true, false} {
		s := awkward(t, system)
		var list struct {
			Dict struct {
				Keys  []string `xml:"key"`
				Texts []string `xml:"string"`
				Array []string `xml:"array>string"`
			} `xml:"dict"`
		}
		if err := strictXML(s.Text(Launchd), &list); err != nil {
			t.Fatal(err)
		}
		want := append([]string{s.Program}, s.arguments(s.PassphraseFile)...)
		if !slices.Equal(list.Dict.Array, want) {
			t.Errorf("it runs %q, not %q", list.Dict.Array, want)
		}
		if !slices.Contains(list.Dict.Keys, "RunAtLoad") || slices.Contains(list.Dict.Keys, "UserName") != system || !slices.Contains(list.Dict.Texts, s.Name()) {
			t.Errorf("%q %q", list.Dict.Keys, list.Dict.Texts)
		}
	}
}

// taskElements are the elements of [MS-TSCH] that are used, each with the one that
// it stands in.
var taskElements = map[string]string{
	"Task": "", "RegistrationInfo": "Task", "Description": "RegistrationInfo", "Triggers": "Task", "LogonTrigger": "Triggers", "BootTrigger": "Triggers",
	"Principals": "Task", "Principal": "Principals", "LogonType": "Principal", "RunLevel": "Principal", "Settings": "Task",
	"MultipleInstancesPolicy": "Settings", "DisallowStartIfOnBatteries": "Settings", "StopIfGoingOnBatteries": "Settings", "StartWhenAvailable": "Settings",
	"ExecutionTimeLimit": "Settings", "RestartOnFailure": "Settings", "Interval": "RestartOnFailure", "Count": "RestartOnFailure",
	"Actions": "Task", "Exec": "Actions", "Command": "Exec", "Arguments": "Exec",
	"Enabled": "LogonTrigger BootTrigger Settings", "UserId": "LogonTrigger Principal",
}

func TestTheTaskHasTheSchemasElements(t *testing.T) {
	for _, system := range []bool{true, false} {
		s := awkward(t, system)
		d := xml.NewDecoder(strings.NewReader(s.Text(Windows)))
		var path []string
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			switch e := token.(type) {
			case xml.StartElement:
				parent := ""
				if len(path) > 0 {
					parent = path[len(path)-1]
				}
				in, ok := taskElements[e.Name.Local]
				if !ok || e.Name.Space != "http://schemas.microsoft.com/windows/2004/02/mit/task" || parent != "" && !slices.Contains(strings.Fields(in), parent) {
					t.Errorf("%s in %q", e.Name.Local, parent)
				}
				path = append(path, e.Name.Local)
			case xml.EndElement:
				path = path[:len(path)-1]
			}
		}
		var task struct {
			Command   string `xml:"Actions>Exec>Command"`
			Arguments string `xml:"Actions>Exec>Arguments"`
		}
		if err := strictXML(s.Text(Windows), &task); err != nil {
			t.Fatal(err)
		}
		if got, want := apart(task.Arguments), s.arguments(s.PassphraseFile); !slices.Equal(got, want) || task.Command != s.Program {
			t.Errorf("it runs %q %q, not %q", task.Command, got, want)
		}
	}
}

func TestWindowsTakesWordsApartAsTheyWere(t *testing.T) {
	for _, args := range [][]string{{"a"}, {""}, {"a b"}, {`a"b`}, {`C:\a b\`}, {`a\\"b \`, "c"}, {`\\server\x`, `"`}} {
		var line []string
		for _, a := range args {
			line = append(line, windowsWord(a))
		}
		if got := apart(strings.Join(line, " ")); !slices.Equal(got, args) {
			t.Errorf("%q came back as %q", args, got)
		}
	}
}

// apart takes a command line apart as CommandLineToArgvW is documented to.
func apart(line string) (args []string) {
	for line = strings.TrimLeft(line, " "); line != ""; line = strings.TrimLeft(line, " ") {
		var arg strings.Builder
		quoted := false
		i := 0
		for ; i < len(line) && (quoted || line[i] != ' '); i++ {
			n := 0
			for i < len(line) && line[i] == '\\' {
				n, i = n+1, i+1
			}
			if i == len(line) || line[i] != '"' {
				arg.WriteString(strings.Repeat(`\`, n))
				i--
				if n == 0 {
					i++
					arg.WriteByte(line[i])
				}
				continue
			}
			arg.WriteString(strings.Repeat(`\`, n/2))
			if n%2 == 1 {
				arg.WriteByte('"')
			} else {
				quoted = !quoted
			}
		}
		args = append(args, arg.String())
		line = line[min(i, len(line)):]
	}
	return args
}

func TestWhatNoFileCanCarryIsRefused(t *testing.T) {
	good := Service{Role: "member", Program: "/bin/weir", Dir: "/srv/weir"}
	if err := good.Check(Systemd); err != nil {
		t.Error(err)
	}
	for what, bad := range map[string]Service{
		"a line break":           {Program: "/bin/weir", Dir: "/srv/\nExecStart=/bin/sh"},
		"a path that is no text": {Program: "/bin/weir", Dir: "/srv/\xff"},
		"a quoted program":       {Program: `/bin/"weir"`, Dir: "/srv/weir"},
		"nobody's":               {Program: "/bin/weir", Dir: "/srv/weir", System: true},
	} {
		if bad.Check(Systemd) == nil {
			t.Errorf("%s is taken", what)
		}
	}
	good.Credential = "/etc/passphrase"
	if good.Check(Launchd) == nil || good.Check(Systemd) != nil {
		t.Error("only systemd has credentials")
	}
}

func TestTheTaskIsWrittenAsSchtasksReadsIt(t *testing.T) {
	b := wide("weir €")
	var units []uint16
	for i := 0; i+1 < len(b); i += 2 {
		units = append(units, uint16(b[i])|uint16(b[i+1])<<8)
	}
	if got := string(utf16.Decode(units)); got != "\ufeffweir €" || !bytes.HasPrefix(b, []byte{0xff, 0xfe}) {
		t.Errorf("%q", got)
	}
}

// strictXML reads a document to its end.
func strictXML(text string, v any) error {
	d := xml.NewDecoder(strings.NewReader(text))
	d.Entity = map[string]string{}
	return d.Decode(v)
}
