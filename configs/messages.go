package configs

import (
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strings"
)

// messagesText is the catalogue of messages. Its own first lines say how it is
// written; messages_test.go holds it to the code.
//
//go:embed messages.txt
var messagesText string

// Message is what people should know about one message of the program, or about
// several that mean the same.
type Message struct {
	Room   string   // the package that says it
	Texts  []string // the message, "…" for what changes
	Class  string   // the name of the class whose cause and remedy hold; "": its own
	Cause  string
	Remedy string

	parts [][]string // of each text, the words that must be found, in this order
}

// Step is the class of texts that only say what was being done when something
// else went wrong.
const Step = "a step"

// Messages is the catalogue, with the cause and remedy of classes filled in.
func Messages() ([]Message, error) {
	classes, all, err := parseMessages(messagesText)
	if err != nil {
		return nil, err
	}
	for i, m := range all {
		if c, ok := classes[m.Class]; ok {
			all[i].Cause, all[i].Remedy = c.Cause, c.Remedy
		}
		for _, t := range m.Texts {
			all[i].parts = append(all[i].parts, parts(t))
		}
	}
	return all, nil
}

// parseMessages reads a catalogue: blocks of lines "key: value", a value's further
// lines indented, blocks apart by an empty line, "#" before what is for its
// authors.
func parseMessages(text string) (classes map[string]Message, all []Message, err error) {
	classes = map[string]Message{}
	room := ""
	for _, block := range strings.Split(text, "\n\n") {
		var m Message
		class := ""
		fields, err := blockFields(block)
		if err != nil {
			return nil, nil, err
		}
		for _, f := range fields {
			switch f[0] {
			case "package":
				room = f[1]
			case "class":
				class = f[1]
			case "message":
				m.Texts = append(m.Texts, f[1])
			case "as":
				m.Class = f[1]
			case "cause":
				m.Cause = f[1]
			case "remedy":
				m.Remedy = f[1]
			default:
				return nil, nil, fmt.Errorf("read the catalogue of messages: no key is called %q", f[0])
			}
		}
		switch {
		case class != "":
			classes[class] = Message{Class: class, Cause: m.Cause, Remedy: m.Remedy}
		case len(m.Texts) > 0:
			m.Room = room
			all = append(all, m)
		}
	}
	return classes, all, nil
}

// blockFields are the keys and values of a block.
func blockFields(block string) ([][2]string, error) {
	var fields [][2]string
	for _, line := range strings.Split(block, "\n") {
		switch {
		case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "  ") && len(fields) > 0:
			fields[len(fields)-1][1] += " " + strings.TrimSpace(line)
		default:
			key, value, ok := strings.Cut(line, ":")
			if !ok {
				return nil, fmt.Errorf("read the catalogue of messages: no key in %q", line)
			}
			fields = append(fields, [2]string{key, strings.TrimSpace(value)})
		}
	}
	for i := range fields {
		fields[i][1] = strings.TrimSpace(fields[i][1])
	}
	return fields, nil
}

// Hit is a message of the catalogue that was found in a text.
type Hit struct {
	Message
	Text  string // the one of its texts
	Exact bool   // all of its words stand there, in this order; else it is only the nearest
	start int
	end   int
	score int
}

// hitsMax is how many messages of one text are explained.
const hitsMax = 4

// nearEnough is how like a message, 0 to 1, the nearest one must be.
const nearEnough = 0.25

// least is how many letters of a message must be found, so that "…: there are …"
// alone is not.
const least = 8

// Explain finds the messages that a text is made of, the most telling one first;
// and where there is none, the nearest. Errors stand in each other, "what was
// being done: what went wrong".
func Explain(all []Message, text string) []Hit {
	text = fold(text)
	var hits []Hit
	for _, m := range all {
		for i, t := range m.Texts {
			if h, ok := match(m.parts[i], text); ok {
				h.Message, h.Text = m, t
				hits = append(hits, h)
			}
		}
	}
	slices.SortStableFunc(hits, func(a, b Hit) int {
		if sa, sb := a.Class == Step, b.Class == Step; sa != sb {
			if sa {
				return 1
			}
			return -1
		}
		return b.score - a.score
	})
	var out []Hit
	for _, h := range hits {
		covered := slices.ContainsFunc(out, func(o Hit) bool {
			return h.start < o.end && o.start < h.end || h.Cause == o.Cause || h.Class == Step
		})
		if !covered && len(out) < hitsMax {
			out = append(out, h)
		}
	}
	if len(out) == 0 {
		return nearest(all, text)
	}
	return out
}

// parts are what a text has around what changes, folded; at its ends without the
// signs that join it to others.
func parts(text string) []string {
	var all []string
	for _, part := range strings.Split(strings.Trim(fold(text), "…:;,. "), "…") {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}

// match looks for the parts of a message in a text.
func match(parts []string, text string) (Hit, bool) {
	h := Hit{Exact: true, start: -1}
	at := 0
	for _, part := range parts {
		i := strings.Index(text[at:], part)
		if i < 0 {
			return h, false
		}
		if h.start < 0 {
			h.start = at + i
		}
		at += i + len(part)
		h.score += len(strings.Trim(part, ":;.,() "))
	}
	h.end = at
	return h, h.score >= least
}

// nearest is the message that has most words in common with a text, rare ones
// counting more; nothing where too few are.
func nearest(all []Message, text string) []Hit {
	often, texts := map[string]float64{}, 0.0
	for _, m := range all {
		for _, t := range m.Texts {
			texts++
			for _, w := range words(t) {
				often[w]++
			}
		}
	}
	weight := func(ws []string) (sum float64) {
		for _, w := range ws {
			sum += math.Log(1 + texts/(1+often[w]))
		}
		return sum
	}
	given := words(text)
	var best Hit
	top := nearEnough
	for _, m := range all {
		for _, t := range m.Texts {
			own := words(t)
			common := slices.DeleteFunc(slices.Clone(own), func(w string) bool { return !slices.Contains(given, w) })
			have := weight(common)
			if like := have / math.Sqrt(weight(own)*weight(given)); len(common) > 1 && like > top {
				best, top = Hit{Message: m, Text: t}, like
			}
		}
	}
	if best.Text == "" {
		return nil
	}
	return []Hit{best}
}

// fold makes texts comparable: small letters, one space between words.
func fold(text string) string { return strings.Join(strings.Fields(strings.ToLower(text)), " ") }

// words are the words of a text, each once.
func words(text string) []string {
	all := strings.FieldsFunc(fold(text), func(c rune) bool { return !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-') })
	slices.Sort(all)
	return slices.Compact(all)
}
