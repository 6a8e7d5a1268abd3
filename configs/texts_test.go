package configs

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
)

// texts are the patterns that an expression can be. What is known only as a whole
// of its own is noted by itself, and a "…" here.
func (c *collector) texts(f *file, inside []*speaker, e ast.Expr, depth int) []string {
	if depth > 8 {
		return []string{"…"}
	}
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			s, _ := strconv.Unquote(e.Value)
			return []string{s}
		}
	case *ast.ParenExpr:
		return c.texts(f, inside, e.X, depth)
	case *ast.CompositeLit: // a list of texts
		var all []string
		for _, x := range e.Elts {
			all = append(all, c.texts(f, inside, x, depth+1)...)
		}
		return all
	case *ast.BinaryExpr:
		left, right := c.texts(f, inside, e.X, depth+1), c.texts(f, inside, e.Y, depth+1)
		if len(left) == 1 && len(right) == 1 {
			return []string{left[0] + right[0]}
		}
		if len(left) == 1 { // the other part is one of several
			c.apart(f, e, right)
			return []string{left[0] + "…"}
		}
		c.apart(f, e, left)
		if len(right) == 1 {
			return []string{"…" + right[0]}
		}
		c.apart(f, e, right)
	case *ast.Ident:
		return c.ident(f, inside, e, depth)
	case *ast.CallExpr:
		return c.call(f, inside, e, depth)
	}
	return []string{"…"}
}

// apart notes texts that are a part of others.
func (c *collector) apart(f *file, at ast.Node, texts []string) {
	for _, t := range texts {
		c.note(f, at, t)
	}
}

func (c *collector) call(f *file, inside []*speaker, e *ast.CallExpr, depth int) []string {
	name := ""
	switch g := e.Fun.(type) {
	case *ast.Ident:
		name = g.Name
	case *ast.SelectorExpr:
		name = g.Sel.Name
	}
	var all []string
	switch name {
	case "Sprintf", "TrimSuffix", "TrimPrefix", "TrimSpace", "string", "mine", "mineInFormat":
		if len(e.Args) > 0 {
			return c.texts(f, inside, e.Args[0], depth+1)
		}
	case "yes":
		for _, a := range e.Args[1:] {
			all = append(all, c.texts(f, inside, a, depth+1)...)
		}
		return all
	case "append", "Join":
		if x, ok := e.Fun.(*ast.SelectorExpr); ok {
			if from, ok := x.X.(*ast.Ident); ok && from.Name == "filepath" {
				return []string{"…"}
			}
		}
		for _, a := range e.Args {
			all = append(all, c.texts(f, inside, a, depth+1)...)
		}
		return all
	}
	g := c.funcs[f.room][name]
	if g == nil { // of another room: a method or function that only one has
		for room, in := range c.funcs {
			if in[name] != nil && room != f.room && speaks(in[name]) && ast.IsExported(name) && name != "String" && name != "Error" && name != "Text" {
				g = in[name]
			}
		}
	}
	if g == nil || !speaks(g) || c.seen[g] {
		return []string{"…"}
	}
	c.seen[g] = true
	result := c.result
	c.result = 0
	ast.Inspect(g.body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			if result < len(n.Results) {
				r := n.Results[result]
				for _, t := range c.texts(g.file, []*speaker{g}, r, depth+1) {
					c.note(g.file, r, t)
				}
			}
		}
		return true
	})
	return []string{"…"}
}

// speaks says whether the first thing a function gives is text.
func speaks(g *speaker) bool {
	if g.typ.Results == nil || len(g.typ.Results.List) == 0 {
		return false
	}
	id, ok := g.typ.Results.List[0].Type.(*ast.Ident)
	return ok && id.Name == "string"
}

// ident is what a name stands for: a constant, what is assigned to it in the
// function around, or an argument, by which that function becomes a maker of
// messages.
func (c *collector) ident(f *file, inside []*speaker, e *ast.Ident, depth int) []string {
	for _, g := range slices.Backward(inside) {
		place := 0
		for _, p := range g.typ.Params.List {
			for _, name := range p.Names {
				if name.Name == e.Name {
					if id, ok := p.Type.(*ast.Ident); ok && id.Name == "string" {
						c.maker(f, g, place)
					}
					return []string{"…"}
				}
				place++
			}
		}
		var all []string
		if g.body != nil {
			ast.Inspect(g.body, func(n ast.Node) bool {
				a, ok := n.(*ast.AssignStmt)
				if !ok {
					return true
				}
				for i, l := range a.Lhs {
					if id, ok := l.(*ast.Ident); ok && id.Name == e.Name {
						r := a.Rhs[min(i, len(a.Rhs)-1)]
						c.result = i - min(i, len(a.Rhs)-1)
						if !within(e, r) {
							all = append(all, c.texts(f, inside, r, depth+1)...)
						}
						c.result = 0
					}
				}
				return true
			})
		}
		if len(all) > 0 {
			return all
		}
	}
	for _, other := range c.s.files {
		if other.room != f.room || other.test {
			continue
		}
		for _, d := range other.tree.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range g.Specs {
				v, ok := spec.(*ast.ValueSpec)
				if !ok {
					continue
				}
				for i, name := range v.Names {
					if name.Name == e.Name && i < len(v.Values) {
						return c.texts(other, nil, v.Values[i], depth+1)
					}
				}
			}
		}
	}
	return []string{"…"}
}

// within says whether a node stands in another.
func within(n, whole ast.Node) bool { return n.Pos() >= whole.Pos() && n.End() <= whole.End() }
