package configs

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// levels are the rooms of the house. Imports only go down, or sideways without
// a circle, which the compiler sees to.
var levels = map[string]int{
	// Bytes in, values out; and the files that ship.
	"keys": 0, "ledger/wire": 0, "configs": 0,
	// What is true and how it changes: pure and deterministic.
	"ledger": 1, "ledger/outbox": 1, "internal/lookup": 1, "internal/lookup/kademliatest": 1, "internal/seed": 1, "internal/sign": 1,
	// Edges: one foreign technology each.
	"ledger/store": 2, "keys/keyfile": 2, "internal/mainline": 2, "internal/swarm": 2, "internal/control": 2, "internal/backup": 2, "internal/qr": 2, "internal/simnet": 2, "internal/loop": 2, "internal/service": 2,
	// The two roles, as machines.
	"manager": 3, "member": 3,
	// What puts roles together, on real edges or simulated ones.
	"internal/host": 4, "internal/bench": 4, "internal/demo": 4, "manager/simtest": 4,
	// Flags and output.
	"cmd/weir": 5,
}

// supports are rooms that only tests import.
var supports = []string{"internal/lookup/kademliatest"}

// foreign says which rooms may import a module of somebody else, from shipped
// files and tests alike.
var foreign = map[string][]string{
	"filippo.io/age":                   {"keys/keyfile"},
	"github.com/BurntSushi/toml":       {"configs"},
	"github.com/anacrolix/dht/v2":      {"internal/mainline"},
	"github.com/anacrolix/log":         {"internal/mainline", "internal/swarm"},
	"github.com/anacrolix/torrent":     {"internal/mainline", "internal/swarm"},
	"github.com/anacrolix/upnp":        {"internal/swarm"},
	"github.com/anacrolix/utp":         {"internal/swarm"},
	"github.com/cockroachdb/pebble/v2": {"ledger/store"},
	"github.com/makiuchi-d/gozxing":    {"internal/qr"},
	"github.com/oasisprotocol":         {"internal/sign"},
	"github.com/tyler-smith/go-bip39":  {"keys"},
	"github.com/urfave/cli/v2":         {"cmd/weir"},
	"golang.org/x/crypto":              {"ledger/wire"},
	"golang.org/x/mod/sumdb":           {"ledger/wire", "ledger", "ledger/store", "member", "internal/demo", "cmd/weir"},
	"golang.org/x/sync":                {"internal/demo"},
	"golang.org/x/sys/unix":            {"internal/loop", "keys/keyfile"},
	"golang.org/x/sys/windows":         {"keys/keyfile"},
	"golang.org/x/term":                {"keys/keyfile", "cmd/weir"},
	"golang.org/x/text":                {"internal/host"},
	"golang.org/x/time":                {"internal/mainline", "internal/swarm"},
	"rsc.io/qr":                        {"cmd/weir", "internal/qr"},
}

// broken are packages that nobody may import, though their module is welcome.
var broken = map[string]string{
	"github.com/anacrolix/dht/v2/exts/getput": "one hostile answer panics in it, it asks every node twice, and its puts reach 4 nodes instead of 8",
}

// values are modules of pure code whose types may be seen anywhere.
var values = []string{"golang.org/x/mod/sumdb"}

// testingModules may be imported by the tests of any room and by nothing else.
var testingModules = []string{"github.com/cockroachdb/datadriven", "github.com/makiuchi-d/gozxing", "github.com/rogpeppe/go-internal", "pgregory.net/rapid"}

// impure is what levels 0 and 1 do without: what comes from outside is an
// argument there.
var impure = []string{"context", "crypto/rand", "log", "net", "os", "sync", "syscall"}

// pureAnyway are the exceptions, each with its reason.
var pureAnyway = map[string]string{
	"net/netip":                 "addresses are values",
	"internal/sign crypto/rand": "what a batch is multiplied with must be unforeseeable, and no answer depends on it",
}

// clockwork are the functions of package time that read or run on a clock.
var clockwork = []string{"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until"}

// replayed are rooms above level 1 that a simulated run replays exactly: their
// time, randomness and order of events come from their caller.
var replayed = []string{"manager", "member", "internal/simnet", "manager/simtest"}

func pure(room string) bool { return levels[room] <= 1 && room != "configs" }

// under says whether p is the package dir or one below it.
func under(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

// isForeign says whether an import is neither ours nor the standard library's.
func isForeign(p string) bool { return strings.Contains(strings.Split(p, "/")[0], ".") }

func TestEveryPackageIsARoomOfTheHouse(t *testing.T) {
	s := readSource(t)
	for _, room := range s.rooms() {
		if _, ok := levels[room]; !ok {
			t.Errorf("%s has no level: the table in this test says where it belongs", room)
		}
		for _, word := range strings.Split(room, "/") {
			if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "types", "models"}, word) {
				t.Errorf("%s: %q says nothing about what is in it", room, word)
			}
		}
	}
	for room := range levels {
		if !slices.Contains(s.rooms(), room) {
			t.Errorf("the room %s is empty", room)
		}
	}
}

func TestImportsOnlyGoDownOrSideways(t *testing.T) {
	for _, f := range readSource(t).files {
		for _, p := range f.imports() {
			room, ours := strings.CutPrefix(p, module+"/")
			if !ours {
				continue
			}
			up := levels[room] > levels[f.room]
			if f.test && pure(f.room) { // a pure room's test may use its neighbours, but no edge
				up = levels[room] > 1
			}
			if up {
				t.Errorf("%s (level %d) imports %s (level %d)", f.name, levels[f.room], room, levels[room])
			}
			if slices.Contains(supports, room) && !f.test && !under(f.room, room) {
				t.Errorf("%s imports %s, which is for tests", f.name, room)
			}
		}
	}
}

func TestForeignModulesStayInTheirRooms(t *testing.T) {
	used := map[string]bool{}
	for _, f := range readSource(t).files {
		for _, p := range f.imports() {
			if !isForeign(p) {
				continue
			}
			allowed := false
			for m, rooms := range foreign {
				if under(p, m) {
					used[m] = true
					allowed = allowed || slices.Contains(rooms, f.room)
				}
			}
			for _, m := range testingModules {
				allowed = allowed || f.test && under(p, m)
			}
			if !allowed {
				t.Errorf("%s imports %s", f.name, p)
			}
		}
	}
	for m := range foreign {
		if !used[m] {
			t.Errorf("%s is imported nowhere", m)
		}
	}
}

func TestNobodyImportsWhatIsKnownToBeBroken(t *testing.T) {
	for _, f := range readSource(t).files {
		for _, p := range f.imports() {
			for b, why := range broken {
				if under(p, b) {
					t.Errorf("%s imports %s: %s", f.name, p, why)
				}
			}
		}
	}
}

func TestLevels0And1ArePure(t *testing.T) {
	s := readSource(t)
	for _, f := range s.shipped() {
		if !pure(f.room) {
			continue
		}
		for _, p := range f.imports() {
			for _, banned := range impure {
				if under(p, banned) && pureAnyway[p] == "" && pureAnyway[f.room+" "+p] == "" {
					t.Errorf("%s imports %s", f.name, p)
				}
			}
		}
		s.noClock(t, f)
	}
}

func TestWhatIsReplayedHasNoClockAndNoChance(t *testing.T) {
	s := readSource(t)
	for _, f := range s.shipped() {
		if !slices.Contains(replayed, f.room) {
			continue
		}
		if f.named("crypto/rand") != "" {
			t.Errorf("%s imports crypto/rand", f.name)
		}
		s.noClock(t, f)
	}
}

// noClock reports uses of the clock, of the process's randomness, and of the
// scheduler.
func (s *source) noClock(t *testing.T, f *file) {
	t.Helper()
	f.uses("time", func(n ast.Node, name string) {
		if slices.Contains(clockwork, name) {
			t.Errorf("%s: time.%s", s.at(n), name)
		}
	})
	for _, p := range []string{"math/rand", "math/rand/v2"} {
		f.uses(p, func(n ast.Node, name string) {
			if !strings.HasPrefix(name, "New") && !slices.Contains([]string{"Rand", "Source", "PCG", "ChaCha8", "Zipf"}, name) {
				t.Errorf("%s: %s.%s draws from the process's randomness", s.at(n), p, name)
			}
		})
	}
	ast.Inspect(f.tree, func(n ast.Node) bool {
		if g, ok := n.(*ast.GoStmt); ok {
			t.Errorf("%s: a goroutine", s.at(g))
		}
		return true
	})
}

func TestEdgesExportNoForeignType(t *testing.T) {
	s := readSource(t)
	for _, f := range s.shipped() {
		if levels[f.room] != 2 {
			continue
		}
		theirs := map[string]string{}
		for _, p := range f.imports() {
			if isForeign(p) && !slices.ContainsFunc(values, func(m string) bool { return under(p, m) }) {
				theirs[f.named(p)] = p
			}
		}
		exported(f, func(name string, public ast.Node) {
			ast.Inspect(public, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.FuncLit, *ast.BlockStmt:
					return false
				case *ast.Field:
					if len(n.Names) > 0 && !slices.ContainsFunc(n.Names, (*ast.Ident).IsExported) {
						if _, isType := public.(*ast.TypeSpec); isType {
							return false // a field that nobody sees
						}
					}
				case *ast.SelectorExpr:
					if x, ok := n.X.(*ast.Ident); ok && theirs[x.Name] != "" {
						t.Errorf("%s: %s shows %s of %s", s.at(n), name, n.Sel.Name, theirs[x.Name])
					}
				}
				return true
			})
		})
	}
}

// exported calls found for each exported declaration of a file: a function's
// type, a type's or a value's specification.
func exported(f *file, found func(name string, public ast.Node)) {
	for _, d := range f.tree.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver(d))) {
				found(d.Name.Name, d.Type)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					if spec.Name.IsExported() {
						found(spec.Name.Name, spec)
					}
				case *ast.ValueSpec:
					if slices.ContainsFunc(spec.Names, (*ast.Ident).IsExported) && spec.Type != nil {
						found(spec.Names[0].Name, spec.Type)
					}
				}
			}
		}
	}
}

// receiver is the name of a method's type.
func receiver(d *ast.FuncDecl) string {
	e := d.Recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}
