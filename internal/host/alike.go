package host

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"weir/ledger"
)

// NamedView is an account as people tell two of a name apart.
type NamedView struct {
	Account uint64 `json:"account"`
	Name    string `json:"name"`
	Key     string `json:"key"`
}

func viewNamed(a ledger.Account) NamedView {
	return NamedView{Account: a.Number, Name: a.Name, Key: hex.EncodeToString(a.Key[:])}
}

// text names an account for people: its number and the beginning of its key are
// its own, however it calls itself.
func (v NamedView) text() string { return fmt.Sprintf("%d %s (%s…)", v.Account, v.Name, v.Key[:8]) }

// NamesOf names some accounts for people.
func NamesOf(all []NamedView) string {
	var texts []string
	for _, v := range all {
		texts = append(texts, v.text())
	}
	return strings.Join(texts, ", ")
}

// sameName is a name however it was typed: in one of Unicode's two ways of writing
// a letter with an accent, and in capitals or not. The log's own comparison is
// narrower, since all readers of it must agree (ledger.State.ByName).
func sameName(name string) string { return strings.ToLower(norm.NFC.String(name)) }

// doubles are letters of other scripts that look like Latin ones, lower case.
var doubles = strings.NewReplacer(
	"а", "a", "е", "e", "о", "o", "р", "p", "с", "c", "х", "x", "у", "y", "і", "i", "ј", "j", "ѕ", "s", "һ", "h", "ԁ", "d", "ԛ", "q", "ԝ", "w", "в", "b", "к", "k", "м", "m", "н", "h", "т", "t", "г", "r",
	"α", "a", "ε", "e", "ι", "i", "κ", "k", "ν", "v", "ο", "o", "ρ", "p", "τ", "t", "υ", "u", "χ", "x", "γ", "y", "η", "n", "β", "b", "ζ", "z", "μ", "m",
	"ı", "i", "ł", "l", "ø", "o", "đ", "d", "ß", "ss", "æ", "ae", "œ", "oe",
	"0", "o", "1", "i", "l", "i", "|", "i", "5", "s", "rn", "m", "vv", "w",
)

// skeleton is what is left of a name for somebody who looks at it in a hurry: no
// accents, no signs between letters, no letters that look like others, and not
// the number that was put behind a taken name. Two names with one skeleton may be
// taken for each other.
func skeleton(name string) string {
	var b strings.Builder
	for _, c := range norm.NFKD.String(name) {
		if c = unicode.ToLower(c); unicode.IsLetter(c) || unicode.IsNumber(c) {
			b.WriteRune(c)
		}
	}
	text := b.String()
	if i := strings.LastIndexByte(name, ' '); i > 0 && ledger.IsNumber(name[i+1:]) {
		text = strings.TrimSuffix(text, name[i+1:])
	}
	return doubles.Replace(text)
}

// alike are the members whose name may be taken for that of one of them, without
// the one who asks (0: nobody's account), who knows its own.
func alike(st *ledger.State, of ledger.Account, asks uint64) []NamedView {
	return alikeName(st, of.Name, func(a ledger.Account) bool { return a.Number == of.Number || a.Number == asks })
}

// alikeName are the members whose name may be taken for a name, but for some.
func alikeName(st *ledger.State, name string, but func(ledger.Account) bool) []NamedView {
	var out []NamedView
	want := skeleton(name)
	for _, a := range st.Accounts() {
		if a.Number != 0 && !but(a) && want != "" && skeleton(a.Name) == want && len(out) < alikeMax {
			out = append(out, viewNamed(a))
		}
	}
	return out
}

// AlikeView is a new member whose name may be taken for an earlier member's.
type AlikeView struct {
	NamedView
	Admitted string    `json:"admitted"`
	To       NamedView `json:"alike_to"`
}

// Text says it to the manager.
func (v AlikeView) Text() string {
	return fmt.Sprintf("%s may be taken for %s", v.text(), v.To.text())
}

// alikeSince are the members admitted since then whose name may be taken for that of
// somebody who was there before, the newest first.
func alikeSince(st *ledger.State, then time.Time) []AlikeView {
	var out []AlikeView
	first := map[string]ledger.Account{} // the first one of a look, and so the one that others are like
	all := st.Accounts()
	for _, a := range all {
		s := skeleton(a.Name)
		if _, ok := first[s]; a.Number != 0 && s != "" && !ok {
			first[s] = a
		}
	}
	for i := len(all) - 1; i >= 0 && len(out) < alikeMax; i-- {
		a := all[i]
		one, ok := first[skeleton(a.Name)]
		if ok && a.Number > one.Number && a.Admitted >= then.UnixMilli() {
			out = append(out, AlikeView{viewNamed(a), viewMillis(a.Admitted), viewNamed(one)})
		}
	}
	return out
}

// AlikeSince are the members admitted since then whose name may be taken for that of
// somebody who was there before.
func (m *Manager) AlikeSince(ctx context.Context, then time.Time) (out []AlikeView, err error) {
	err = m.loop.Call(ctx, func() { out = alikeSince(m.store.State(), then) })
	return out, err
}

// alikeMax is how many names are shown beside another: a manager may make any
// number of them.
const alikeMax = 5

// byName finds the one member who is called so, or those who may be meant: in the
// way that the log compares names, or else however it was typed, or else nearly so.
func byName(st *ledger.State, name string) (one ledger.Account, found bool, maybe []NamedView) {
	if a, ok := st.ByName(name); ok {
		return a, true, nil
	}
	var same, near []ledger.Account
	for _, a := range st.Accounts() {
		switch {
		case a.Number == 0:
		case sameName(a.Name) == sameName(name):
			same = append(same, a)
		case len(near) < alikeMax && isNear(name, a.Name):
			near = append(near, a)
		}
	}
	if len(same) == 1 {
		return same[0], true, nil
	}
	for _, a := range append(same, near...) {
		if len(maybe) < alikeMax {
			maybe = append(maybe, viewNamed(a))
		}
	}
	return one, false, maybe
}

// isNear says whether somebody who typed one name may have meant another: what it
// begins with, what looks like it, or a slip in every four letters.
func isNear(typed, name string) bool {
	a, b := []rune(sameName(typed)), []rune(sameName(name))
	if len(a) < 2 {
		return false
	}
	if strings.HasPrefix(string(b), string(a)) {
		return true
	}
	s := skeleton(typed)
	return s != "" && s == skeleton(name) || Slips(a, b) <= max(1, len(a)/4)
}

// Slips is how many letters were left out, added, mistaken or changed places with
// the next between two words (the distance of optimal string alignment). A name is
// short: see wire.MemberNameBytesMax.
func Slips(a, b []rune) int {
	a, b = a[:min(len(a), 64)], b[:min(len(b), 64)]
	var before, last []int // rows of the table
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
