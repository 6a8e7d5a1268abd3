package configs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// module is the import path of the repository's root, which is the parent of
// this test's directory.
const module = "weir"

// source is the repository's Go code, file by file, in the order of paths.
type source struct {
	fset  *token.FileSet
	files []*file
}

// file is one parsed file.
type file struct {
	name string // from the root, with slashes
	room string // the directory, from the root
	test bool
	tree *ast.File
}

// readSource gives the repository's source, which is read once.
func readSource(t *testing.T) *source {
	t.Helper()
	s, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var parsed = sync.OnceValues(parse)

// parse parses every Go file of the repository, whatever its build tags, but
// for testdata.
func parse() (*source, error) {
	s := &source{fset: token.NewFileSet()}
	err := filepath.WalkDir("..", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if name != ".." && (name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		tree, err := parser.ParseFile(s.fset, p, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(filepath.ToSlash(p), "../")
		s.files = append(s.files, &file{name: rel, room: path.Dir(rel), test: strings.HasSuffix(rel, "_test.go"), tree: tree})
		return nil
	})
	return s, err
}

// rooms are the directories with Go files, sorted.
func (s *source) rooms() []string {
	var all []string
	for _, f := range s.files {
		if !slices.Contains(all, f.room) {
			all = append(all, f.room)
		}
	}
	slices.Sort(all)
	return all
}

// shipped are the files that are not tests.
func (s *source) shipped() []*file {
	return slices.DeleteFunc(slices.Clone(s.files), func(f *file) bool { return f.test })
}

// at is where a node stands, for people.
func (s *source) at(n ast.Node) string {
	p := s.fset.Position(n.Pos())
	return strings.TrimPrefix(filepath.ToSlash(p.Filename), "../") + ":" + strconv.Itoa(p.Line)
}

// imports are the paths that a file imports.
func (f *file) imports() []string {
	var all []string
	for _, i := range f.tree.Imports {
		p, _ := strconv.Unquote(i.Path.Value)
		all = append(all, p)
	}
	return all
}

// named is the name under which a file knows an import; "" when it does not
// import it.
func (f *file) named(importPath string) string {
	for _, i := range f.tree.Imports {
		if p, _ := strconv.Unquote(i.Path.Value); p == importPath {
			if i.Name != nil {
				return i.Name.Name
			}
			base := path.Base(p)
			if strings.HasPrefix(base, "v") && strings.Trim(base[1:], "0123456789") == "" {
				base = path.Base(path.Dir(p))
			}
			return base
		}
	}
	return ""
}

// uses calls found for every NAME in importPath.NAME of a file.
func (f *file) uses(importPath string, found func(n ast.Node, name string)) {
	own := f.named(importPath)
	if own == "" {
		return
	}
	ast.Inspect(f.tree, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == own {
				found(n, sel.Sel.Name)
			}
		}
		return true
	})
}

// resolve finds what the identifiers of a room's shipped files stand for, as
// far as that can be known without what they import.
func (s *source) resolve(room string) ([]*file, *types.Info, *types.Package) {
	var files []*file
	var trees []*ast.File
	for _, f := range s.shipped() {
		if f.room == room {
			files, trees = append(files, f), append(trees, f.tree)
		}
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: nothing{}, Error: func(error) {}}
	pkg, _ := config.Check(module+"/"+room, s.fset, trees, info)
	return files, info, pkg
}

// nothing imports empty packages.
type nothing struct{}

func (nothing) Import(p string) (*types.Package, error) {
	return nil, fs.ErrNotExist
}
