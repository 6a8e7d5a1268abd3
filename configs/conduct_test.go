package configs

import (
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strings"
	"testing"
)

func TestNobodySleepsOrLeavesWorkUnwritten(t *testing.T) {
	s := readSource(t)
	for _, f := range s.files {
		f.uses("time", func(n ast.Node, name string) {
			if name == "Sleep" {
				t.Errorf("%s: time.Sleep", s.at(n))
			}
		})
		ast.Inspect(f.tree, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && id.Name == "unwritten" {
				t.Errorf("%s: unwritten", s.at(id))
			}
			return true
		})
	}
}

func TestNothingHappensBeforeMain(t *testing.T) {
	s := readSource(t)
	for _, f := range s.files {
		for _, d := range f.tree.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: init", s.at(fn))
			}
		}
	}
}

func TestNoVariableOfAPackageEverChanges(t *testing.T) {
	s := readSource(t)
	for _, room := range s.rooms() {
		files, info, pkg := s.resolve(room)
		global := func(e ast.Expr) bool {
			id := root(e, info)
			if id == nil {
				return false
			}
			v, ok := info.Uses[id].(*types.Var)
			if ok && v.Parent() == pkg.Scope() {
				return true
			}
			_, theirs := info.Uses[id].(*types.PkgName)
			return theirs
		}
		for _, f := range files {
			for _, d := range f.tree.Decls {
				if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
					s.noLocks(t, f, g)
				}
			}
			ast.Inspect(f.tree, func(n ast.Node) bool {
				var changed []ast.Expr
				switch n := n.(type) {
				case *ast.AssignStmt:
					if n.Tok != token.DEFINE {
						changed = n.Lhs
					}
				case *ast.IncDecStmt:
					changed = []ast.Expr{n.X}
				case *ast.CallExpr:
					if name, ok := n.Fun.(*ast.Ident); ok && (name.Name == "delete" || name.Name == "clear" || name.Name == "copy") && len(n.Args) > 0 {
						changed = n.Args[:1]
					}
				}
				for _, e := range changed {
					if global(e) {
						t.Errorf("%s: a package's variable is changed", s.at(n))
					}
				}
				return true
			})
		}
	}
}

// noLocks reports package variables whose type is made to change.
func (s *source) noLocks(t *testing.T, f *file, g *ast.GenDecl) {
	for _, p := range []string{"sync", "sync/atomic"} {
		own := f.named(p)
		ast.Inspect(g, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && own != "" {
				if x, ok := sel.X.(*ast.Ident); ok && x.Name == own && !strings.HasPrefix(sel.Sel.Name, "Once") {
					t.Errorf("%s: a package's variable is a %s.%s", s.at(n), p, sel.Sel.Name)
				}
			}
			return true
		})
	}
}

// root is the variable that an assignment to e changes: x of x.f[i], or the
// package of p.X.
func root(e ast.Expr, info *types.Info) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.ParenExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		default:
			return nil
		}
	}
}

func TestEveryPackageAndExportedNameSaysWhatItIs(t *testing.T) {
	s := readSource(t)
	said := map[string]string{}
	for _, f := range s.shipped() {
		if f.tree.Doc != nil {
			if other := said[f.room]; other != "" {
				t.Errorf("%s and %s both describe the package", other, f.name)
			}
			said[f.room] = f.name
		}
		if f.tree.Name.Name != "main" {
			s.said(t, f)
		}
	}
	for _, room := range s.rooms() {
		if said[room] == "" {
			t.Errorf("%s has no package comment", room)
		} else if b := path.Base(said[room]); b != "doc.go" && b != "main.go" && b != path.Base(room)+".go" {
			t.Errorf("%s: a package comment belongs in doc.go", said[room])
		}
	}
}

// known are methods whose interface says what they do.
var known = []string{"Error", "Unwrap", "Is", "String", "Len", "Less", "Swap", "Push", "Pop"}

// said reports exported names without a comment.
func (s *source) said(t *testing.T, f *file) {
	for _, d := range f.tree.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Doc == nil && d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver(d)) && !slices.Contains(known, d.Name.Name)) {
				t.Errorf("%s: %s has no comment", s.at(d), d.Name.Name)
			}
		case *ast.GenDecl:
			if d.Doc != nil {
				continue
			}
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					if spec.Name.IsExported() && spec.Doc == nil && spec.Comment == nil {
						t.Errorf("%s: %s has no comment", s.at(spec), spec.Name.Name)
					}
				case *ast.ValueSpec:
					enumeration := d.Tok == token.CONST && d.Lparen.IsValid() // its type says what it is
					if !enumeration && spec.Names[0].IsExported() && spec.Doc == nil && spec.Comment == nil {
						t.Errorf("%s: %s has no comment", s.at(spec), spec.Names[0].Name)
					}
				}
			}
		}
	}
}
