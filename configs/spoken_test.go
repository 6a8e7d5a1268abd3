package configs

import (
	"go/ast"
	"regexp"
	"slices"
	"strings"
)

// quiet are the rooms and files whose texts no user of the program meets as a
// message, each with its reason.
var quiet = map[string]string{
	"internal/bench":                "for whoever works on weir",
	"internal/demo":                 "the demo tells its own story",
	"internal/simnet":               "simulated; no command reaches it",
	"manager/simtest":               "simulated; no command reaches it",
	"internal/lookup/kademliatest":  "for tests",
	"internal/host/standing.go":     "how things stand, each with what is next",
	"internal/host/doctorstatus.go": "what weir status says, and commands",
	"configs/messages.go":           "what a test keeps from happening",
	"ledger/store/crash.go":         "a simulated disk",
	"ledger/store/crashlogs.go":     "a simulated disk",
	"internal/mainline/hostile.go":  "the demo's hostile nodes",
	"internal/mainline/place.go":    "for measurements",
	"cmd/weir/bench.go":             "for whoever works on weir",
	"ledger/store/modelfiles.go":    "a simulated disk",
	"ledger/store/model.go":         "a simulated disk",
}

// told are the fields whose text is shown to people as what is wrong.
var told = []string{
	"Text", "Problem", "Problems", "Reason", "Warning", "Warnings", "Finding", "Findings", "Hint", "Hints", "Advice", "Remedy", "Other",
	"problem", "reason", "why", "stopped", "holding", "failed", "warning", "hint",
}

// said are the functions that show their text to people, by the place of the
// text among the arguments; makers are found from here.
var said = map[string]int{"errors.New": 0, "fmt.Errorf": 0, "note": 0, "remark": 0}

// message is a text that a user can meet, as a pattern: "…" stands for what
// changes.
type message struct{ room, text string }

// shown is the room that prints, where most texts are no messages: there they are
// found by where they go.
const shown = "cmd/weir"

// isCall is the name of what a command asks of the manager or agent that runs.
var isCall = regexp.MustCompile(`^(…|…?(manager|member)) [a-z]+$`)

// inFile is what stands in a file that weir writes for other programs: a picture, a
// page, a description of a service.
var inFile = regexp.MustCompile(`^<|</|[A-Za-z]=[^ .,;:]|^#|^\[[A-Z]|^(journalctl|tail) -|^M… `)

// bare are texts that are no messages though they stand where those do.
var bare = []string{
	"<corruption detail carrier>", "…<corruption detail carrier>…", // what another library hangs on its errors
	"# A weir secret key, NOT encrypted. Whoever reads this file can act as you.", // in a file
	"# A weir secret key, NOT encrypted. Whoever reads this file can act as you. …",
	"weir store", "weir store …", "weir store commits", // in a file
	"WEIR: …", "Method Unknown", // between programs
	"note: …", "weir: …", // before any message
}

// collector finds the messages of the source.
type collector struct {
	s      *source
	funcs  map[string]map[string]*speaker // by room and name
	found  map[message]string             // where it stands
	seen   map[*speaker]bool
	makers map[string]int // "room.name": place of the text among the arguments
	result int            // which of a function's results is meant
}

// speaker is a function, or a literal that has a name.
type speaker struct {
	file   *file
	typ    *ast.FuncType
	body   *ast.BlockStmt
	method bool
}

// messages are the texts of the shipped source, each with one of its places.
func (s *source) messages() map[message]string {
	c := &collector{s: s, funcs: map[string]map[string]*speaker{}, found: map[message]string{}, seen: map[*speaker]bool{}, makers: map[string]int{}}
	var files []*file
	for _, f := range s.shipped() {
		if quiet[f.room] == "" && quiet[f.name] == "" {
			files = append(files, f)
			c.index(f)
		}
	}
	for n := -1; n != len(c.makers); {
		n = len(c.makers)
		clear(c.found)
		for _, f := range files {
			clear(c.seen)
			c.walk(f)
		}
	}
	return c.found
}

// index notes the functions of a file, and the literals that a name is given to.
func (c *collector) index(f *file) {
	if c.funcs[f.room] == nil {
		c.funcs[f.room] = map[string]*speaker{}
	}
	all := c.funcs[f.room]
	ast.Inspect(f.tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Body != nil {
				all[n.Name.Name] = &speaker{f, n.Type, n.Body, n.Recv != nil}
			}
		case *ast.AssignStmt:
			for i, r := range n.Rhs {
				if lit, ok := r.(*ast.FuncLit); ok && i < len(n.Lhs) {
					if id, ok := n.Lhs[i].(*ast.Ident); ok {
						all[id.Name] = &speaker{f, lit.Type, lit.Body, false}
					}
				}
			}
		}
		return true
	})
}

// walk finds what a file says.
func (c *collector) walk(f *file) {
	var inside []*speaker // the functions around
	var stack []ast.Node
	ast.Inspect(f.tree, func(n ast.Node) bool {
		if n == nil {
			top := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			switch top.(type) {
			case *ast.FuncDecl, *ast.FuncLit:
				inside = inside[:len(inside)-1]
			}
			return true
		}
		stack = append(stack, n)
		switch n := n.(type) {
		case *ast.FuncDecl:
			inside = append(inside, &speaker{f, n.Type, n.Body, n.Recv != nil})
		case *ast.FuncLit:
			inside = append(inside, &speaker{f, n.Type, n.Body, false})
		case *ast.CallExpr:
			if i, ok := c.sink(f, n); ok && i < len(n.Args) {
				c.tell(f, inside, n.Args[i])
				c.parts(f, inside, n.Args[i+1:])
			}
		case *ast.BasicLit, *ast.BinaryExpr:
			if f.room != shown && !slices.ContainsFunc(stack[:len(stack)-1], aside) {
				if _, over := stack[len(stack)-2].(*ast.BinaryExpr); !over {
					c.literal(f, inside, n.(ast.Expr))
				}
			}
		case *ast.CompositeLit:
			c.composite(f, inside, n)
		case *ast.AssignStmt:
			for i, l := range n.Lhs {
				if sel, ok := l.(*ast.SelectorExpr); ok && slices.Contains(told, sel.Sel.Name) && i < len(n.Rhs) {
					c.tell(f, inside, n.Rhs[i])
				}
			}
		}
		return true
	})
}

// literal notes a text of several words that stands anywhere below the command
// line: what is not an aside there is on its way to somebody.
func (c *collector) literal(f *file, inside []*speaker, e ast.Expr) {
	for _, text := range c.texts(f, inside, e, 0) {
		if strings.Contains(strings.Trim(plain(text), "… "), " ") {
			c.note(f, e, text)
		}
	}
}

// parts notes what is put into a text and is a sentence, or the end of one, itself.
func (c *collector) parts(f *file, inside []*speaker, args []ast.Expr) {
	for _, a := range args {
		switch a := a.(type) {
		case *ast.Ident, *ast.CallExpr:
			for _, text := range c.texts(f, inside, a, 0) {
				if len(strings.Fields(text)) > 3 {
					c.note(f, a, text)
				}
			}
		}
	}
}

// aside says whether a node is none that speaks to users: an import, a tag, a
// constant that says how bytes begin, the name of a call, a fault that stops the
// program, or what --verbose says of the network.
func aside(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ImportSpec:
		return true
	case *ast.Field:
		return n.Tag != nil
	case *ast.CallExpr:
		name := ""
		switch g := n.Fun.(type) {
		case *ast.Ident:
			name = g.Name
		case *ast.SelectorExpr:
			name = g.Sel.Name
		}
		return slices.Contains([]string{"panic", "Logf", "logf", "Event", "prompt", "keyInt", "key", "HasPrefix"}, name)
	case *ast.KeyValueExpr:
		_, call := n.Value.(*ast.Ident)
		_, method := n.Value.(*ast.SelectorExpr)
		_, key := n.Key.(*ast.BasicLit)
		return key && (call || method)
	case *ast.ValueSpec:
		return strings.HasSuffix(n.Names[0].Name, "Label") || strings.HasSuffix(n.Names[0].Name, "Prefix") || strings.HasSuffix(n.Names[0].Name, "Header")
	}
	return false
}

// sink says which argument of a call is shown to people.
func (c *collector) sink(f *file, call *ast.CallExpr) (int, bool) {
	name, qualified := "", ""
	switch g := call.Fun.(type) {
	case *ast.Ident:
		name = g.Name
	case *ast.SelectorExpr:
		name = g.Sel.Name
		if x, ok := g.X.(*ast.Ident); ok {
			qualified = x.Name + "." + name
		}
	}
	if i, ok := said[qualified]; ok {
		return i, true
	}
	if strings.HasPrefix(qualified, "fmt.Fprint") && len(call.Args) > 1 { // to the terminal of questions, not to what is asked for
		switch w := call.Args[0].(type) {
		case *ast.Ident:
			return 1, w.Name == "errw"
		case *ast.SelectorExpr:
			return 1, w.Sel.Name == "err" || w.Sel.Name == "errFile"
		}
	}
	if i, ok := said[name]; ok && f.room == shown {
		return i, true
	}
	i, ok := c.makers[f.room+"."+name]
	return i, ok
}

// composite finds what stands in fields that are shown, and in errors.
func (c *collector) composite(f *file, inside []*speaker, n *ast.CompositeLit) {
	typ, _ := n.Type.(*ast.Ident)
	for i, e := range n.Elts {
		kv, keyed := e.(*ast.KeyValueExpr)
		switch {
		case keyed:
			if key, ok := kv.Key.(*ast.Ident); ok && slices.Contains(told, key.Name) {
				c.tell(f, inside, kv.Value)
			}
		case i == 0 && typ != nil && strings.HasSuffix(typ.Name, "Error"):
			c.tell(f, inside, e)
		}
	}
}

// tell notes what an expression says. Where that is an argument of the function
// around, the function's callers say it.
func (c *collector) tell(f *file, inside []*speaker, e ast.Expr) {
	for _, text := range c.texts(f, inside, e, 0) {
		c.note(f, e, text)
	}
}

func (c *collector) note(f *file, at ast.Node, text string) {
	if text = plain(text); wordy(text) && !isCall.MatchString(text) && !inFile.MatchString(text) && !slices.Contains(bare, text) {
		m := message{f.room, text}
		if _, ok := c.found[m]; !ok {
			c.found[m] = c.s.at(at)
		}
	}
}

// maker notes that a function's callers say what it shows.
func (c *collector) maker(f *file, g *speaker, place int) {
	for name, known := range c.funcs[f.room] {
		if known.body == g.body && name != "Error" && name != "progress" { // that says what is under way
			c.makers[f.room+"."+name] = place
		}
	}
}

var verb = regexp.MustCompile(`%[-+# 0-9.\[\]*]*[a-zA-Z]`)

// plain is a format with "…" for what changes.
func plain(format string) string {
	text := strings.ReplaceAll(verb.ReplaceAllString(strings.ReplaceAll(format, "%%", "\x00"), "…"), "\x00", "%")
	return strings.Join(strings.Fields(text), " ")
}

// wordy says whether a text has words of its own, and is not the name of a thing.
func wordy(text string) bool {
	letters := 0
	for _, c := range text {
		if c >= 'a' && c <= 'z' {
			letters++
		}
	}
	return letters > 3 && strings.Contains(text, " ")
}
