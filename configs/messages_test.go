package configs

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what is new in the code into the catalogue of messages")

const catalogue = "messages.txt"

// isStep is a text that only says what was being done: "read a head: …".
var isStep = regexp.MustCompile(`^[a-z][^:;.]*: …$`)

// catalogued reads the catalogue as it stands, not as it was when the test was
// built.
func catalogued(t *testing.T) (head string, classes map[string]Message, all []Message) {
	t.Helper()
	b, err := os.ReadFile(catalogue)
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ = strings.Cut(string(b), "\npackage:")
	classes, all, err = parseMessages(string(b))
	if err != nil {
		t.Fatal(err)
	}
	return head, classes, all
}

// TestMessagesAreCatalogued holds the catalogue to the code, both ways; with
// -update it writes what is missing into it, and takes out what is said no more.
func TestMessagesAreCatalogued(t *testing.T) {
	said := readSource(t).messages()
	head, _, all := catalogued(t)
	known := map[message]bool{}
	for _, m := range all {
		for _, text := range m.Texts {
			known[message{m.Room, text}] = true
		}
	}
	twice := map[message]bool{}
	for i, m := range all {
		for _, text := range m.Texts {
			key := message{m.Room, text}
			switch {
			case twice[key]:
				t.Errorf("%s: %q is there twice", m.Room, text)
			case said[key] == "" && !*update:
				t.Errorf("%s: nothing says %q any more: take it out, or run go test ./configs -run Messages -update", m.Room, text)
			}
			twice[key] = true
		}
		if *update {
			all[i].Texts = reworded(m, said, known)
		}
	}
	for key, at := range said {
		switch {
		case known[key]:
		case *update:
			m := Message{Room: key.room, Texts: []string{key.text}}
			if key.room != shown && isStep.MatchString(key.text) {
				m.Class = Step
			}
			all = append(all, m)
		default:
			t.Errorf("%s: %q is not in configs/%s: go test ./configs -run Messages -update writes it there; then say its cause and remedy", at, key.text, catalogue)
		}
	}
	if *update {
		if err := os.WriteFile(catalogue, []byte(formatMessages(head, all)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// reworded are a block's texts that are still said. One that is said no more is
// taken for a new one that has most of its words, which its cause and remedy may
// still be true of: read them again.
func reworded(m Message, said map[message]string, known map[message]bool) []string {
	var out []string
	for _, text := range m.Texts {
		if said[message{m.Room, text}] != "" {
			out = append(out, text)
			continue
		}
		best, most := "", 0.5
		for key := range said {
			if key.room == m.Room && !known[key] {
				if like := alike(text, key.text); like > most || like == most && key.text < best {
					best, most = key.text, like
				}
			}
		}
		if best != "" {
			known[message{m.Room, best}] = true
			out = append(out, best)
		}
	}
	return out
}

// alike is the share of words that two texts have in common.
func alike(a, b string) float64 {
	one, other := words(a), words(b)
	both := 0
	for _, w := range one {
		if slices.Contains(other, w) {
			both++
		}
	}
	return float64(both) / float64(len(one)+len(other)-both)
}

func TestMessagesHaveACauseAndARemedy(t *testing.T) {
	_, classes, all := catalogued(t)
	used := map[string]bool{}
	same := map[string]string{}
	for _, m := range all {
		if m.Class != "" {
			used[m.Class] = true
			if _, ok := classes[m.Class]; !ok {
				t.Errorf("%s: %q is as %q, and there is no such class", m.Room, m.Texts[0], m.Class)
			}
			if m.Cause != "" || m.Remedy != "" {
				t.Errorf("%s: %q has a class, and a cause or remedy besides", m.Room, m.Texts[0])
			}
			continue
		}
		for _, field := range [][2]string{{"cause", m.Cause}, {"remedy", m.Remedy}} {
			if !strings.HasSuffix(field[1], ".") || len(field[1]) < 12 {
				t.Errorf("%s: the %s of %q is no sentence: %q", m.Room, field[0], m.Texts[0], field[1])
			}
		}
		key := m.Room + "\n" + m.Cause + "\n" + m.Remedy
		if other := same[key]; other != "" && m.Cause != "" {
			t.Errorf("%q and %q say the same: put them into one block, or make a class of it", other, m.Texts[0])
		}
		same[key] = m.Texts[0]
	}
	for name, c := range classes {
		if c.Cause == "" || c.Remedy == "" || !used[name] {
			t.Errorf("the class %q has no cause, no remedy or no message", name)
		}
	}
}

func TestMessagesAreSortedByPackage(t *testing.T) {
	head, _, all := catalogued(t)
	b, err := os.ReadFile(catalogue)
	if err != nil {
		t.Fatal(err)
	}
	if string(b) != formatMessages(head, all) {
		t.Errorf("configs/%s is not laid out as go test ./configs -run Messages -update writes it", catalogue)
	}
}

// lineMax is how long the catalogue's lines are.
const lineMax = 118

// formatMessages writes a catalogue: packages in order, in them blocks as they
// were, new ones last.
func formatMessages(head string, all []Message) string {
	var b strings.Builder
	for i, block := range strings.Split(strings.TrimRight(head, "\n"), "\n\n") {
		if i > 0 {
			b.WriteString("\n")
		}
		fields, _ := blockFields(block)
		if len(fields) == 0 {
			b.WriteString(block + "\n")
		}
		for _, f := range fields {
			field(&b, f[0], f[1])
		}
	}
	rooms := map[string][]Message{}
	for _, m := range all {
		if len(m.Texts) > 0 {
			rooms[m.Room] = append(rooms[m.Room], m)
		}
	}
	var names []string
	for name := range rooms {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "\npackage: %s\n", name)
		ms := rooms[name]
		slices.SortStableFunc(ms, func(a, b Message) int { // classes last, what is new before them
			if byRank := cmp.Compare(rank(a), rank(b)); byRank != 0 || rank(a) != 1 {
				return cmp.Or(byRank, strings.Compare(a.Class, b.Class))
			}
			return strings.Compare(a.Texts[0], b.Texts[0])
		})
		for i, m := range ms {
			if m.Class != "" && i > 0 && ms[i-1].Class == m.Class {
				continue
			}
			for _, more := range ms[i+1:] {
				if m.Class != "" && more.Class == m.Class {
					m.Texts = append(slices.Clone(m.Texts), more.Texts...)
				}
			}
			b.WriteString("\n")
			for _, text := range m.Texts {
				field(&b, "message", text)
			}
			if m.Class != "" {
				field(&b, "as", m.Class)
				continue
			}
			field(&b, "cause", m.Cause)
			field(&b, "remedy", m.Remedy)
		}
	}
	return b.String()
}

// rank is where a block stands in its package.
func rank(m Message) int {
	switch {
	case m.Class != "":
		return 2
	case m.Cause == "":
		return 1
	}
	return 0
}

// field writes a key and its value, in several lines where it is long.
func field(b *strings.Builder, key, value string) {
	line := key + ":"
	for _, word := range strings.Fields(value) {
		if len([]rune(line))+1+len([]rune(word)) > lineMax {
			b.WriteString(line + "\n")
			line = " "
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
}
