package configs

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// bypass says which files of the program may write past its screen, each with
// its reason: all else passes what keeps names from confusing a terminal.
var bypass = map[string]string{
	"cmd/weir/screen.go":     "it is the screen",
	"cmd/weir/table.go":      "the terminal's width is asked for",
	"cmd/weir/print.go":      "JSON, which is made safe in its own way, and the line of progress",
	"cmd/weir/guide.go":      "it clears the screen of the words",
	"cmd/weir/qr.go":         "a picture",
	"cmd/weir/completion.go": "scripts, with tabs",
	"cmd/weir/manual.go":     "the manual page, in a program's own marks",
	"cmd/weir/demo.go":       "colours, and names of its own",
	"cmd/weir/bench.go":      "a process of its own, which talks to the program",
}

func TestNothingIsPrintedPastTheScreen(t *testing.T) {
	s := readSource(t)
	for _, f := range s.shipped() {
		f.uses("fmt", func(n ast.Node, name string) {
			if slices.Contains([]string{"Print", "Printf", "Println"}, name) {
				t.Errorf("%s: fmt.%s", s.at(n), name)
			}
		})
		f.uses("os", func(n ast.Node, name string) {
			if (name == "Stdout" || name == "Stderr") && f.name != "cmd/weir/main.go" && f.room != "internal/bench" && f.room != "internal/demo" {
				t.Errorf("%s: os.%s", s.at(n), name)
			}
		})
		if f.room != "cmd/weir" || bypass[f.name] != "" {
			continue
		}
		ast.Inspect(f.tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if n.Sel.Name == "raw" || n.Sel.Name == "paint" || n.Sel.Name == "to" {
					t.Errorf("%s: .%s goes past the screen", s.at(n), n.Sel.Name)
				}
			case *ast.BasicLit:
				if n.Kind == token.STRING && strings.Contains(n.Value, `\x1b`) {
					t.Errorf("%s: an escape sequence", s.at(n))
				}
			case *ast.CallExpr:
				for i, a := range n.Args {
					if x, ok := a.(*ast.SelectorExpr); ok && x.Sel.Name == "errFile" && i == 0 {
						t.Errorf("%s: the terminal itself is written to", s.at(n))
					}
				}
			}
			return true
		})
	}
}
