package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes this test binary the weir that scripts run, and the helpers
// that play whoever has no command in it. Scripts wait for one another's processes
// more than they compute, so that twice as many run at once as the machine has
// processors, unless -parallel says otherwise.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0))); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){
		"weir":      main,
		"found":     helper(found),
		"words":     helper(words),
		"relocked":  helper(relocked),
		"invite":    helper(invite),
		"ahead":     helper(ahead),
		"killed":    helper(killed),
		"relink":    helper(relink),
		"admitted":  helper(admitted),
		"expanded":  helper(expanded),
		"stock":     helper(stock),
		"stockhead": helper(stockHead),
		"intruder":  helper(intruder),
		"streetdht": helper(streetDHT),
		"grudging":  helper(grudging),

		"rewritten":     helper(rewritten),
		"stockevidence": helper(stockEvidence),
	})
}

// TestScripts runs testdata/script: real processes on the loopback, each on
// ports that the system chooses. Nothing leaves this machine: a script that
// starts no DHT has a bootstrap address where nobody answers.
func TestScripts(t *testing.T) {
	client, err := filepath.Abs(filepath.Join("testdata", "libtorrent_client.py"))
	if err != nil {
		t.Fatal(err)
	}
	scripts := testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Condition: func(name string) (bool, error) {
			if name == "netns" {
				return canMakeTowns()
			}
			if name == "qrtools" {
				return installed("zbarimg", "qrencode", "rsvg-convert")
			}
			if name == "mount" {
				return canMount()
			}
			if name != "libtorrent" {
				return false, fmt.Errorf("no condition %s", name)
			}
			out, err := exec.Command("/usr/bin/python3", "-c", "import libtorrent").CombinedOutput()
			if err != nil && os.Getenv("CI") == "true" {
				return false, fmt.Errorf("python3-libtorrent: %w: %s", err, out)
			}
			return err == nil, nil
		},
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", filepath.Join(e.WorkDir, "home"))
			e.Setenv("XDG_DATA_HOME", filepath.Join(e.WorkDir, "share"))
			e.Setenv("WEIR_BOOTSTRAP", nobody)
			e.Setenv("CLIENT", client)
			e.Values[processesKey{}] = &processes{running: map[string]*process{}}
			return os.Mkdir(filepath.Join(e.WorkDir, "home"), 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"dht":     startDHT,
			"start":   start,
			"crash":   crash,
			"end":     end,
			"ended":   ended,
			"exits":   exits,
			"until":   until,
			"repeat":  repeat,
			"waitfor": waitFor,
			"jsonget": jsonGet,
			"jsonis":  jsonIs,
			"isjson":  isJSON,
			"inorder": inOrder,
			"spoil":   spoil,
			"readqr":  readQR,
			"typing":  typing,
			"town":    town,
			"disk":    disk,
			"room":    room,
		},
		RequireUniqueNames: true,
	}
	if testing.Short() { // as with the race detector: those with the most at once
		for _, name := range []string{"main", "members", "twice", "hostile"} {
			scripts.Files = append(scripts.Files, filepath.Join(scripts.Dir, name+".txtar"))
		}
		scripts.Dir = ""
	}
	testscript.Run(t, scripts)
}

// installed says whether programs are there; where everything is checked, they must
// be.
func installed(programs ...string) (bool, error) {
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			if os.Getenv("CI") == "true" {
				return false, err
			}
			return false, nil
		}
	}
	return true, nil
}

// nobody is an address of this machine where nothing listens.
const nobody = "127.0.0.1:1"
