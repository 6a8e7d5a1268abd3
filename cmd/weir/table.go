package main

import (
	"os"
	"strings"

	"golang.org/x/term"

	"weir/internal/host"
)

// cellMin is how narrow a column may get when a row does not fit the terminal.
const cellMin = 8

// table prints rows in columns. head names them, a word each; a column whose word
// begins with "-" is of numbers and aligned to the right. On a terminal rows are
// made to fit it; elsewhere nothing is left out.
func (p *program) table(head string, rows [][]string) {
	for _, line := range layOut(strings.Fields(head), rows, p.columns()) {
		p.printf("%s\n", line)
	}
}

// columns is how wide the terminal is that the program writes to; 0: it is none.
func (p *program) columns() int {
	f, ok := p.out.to.(*os.File)
	if !ok {
		return 0
	}
	w, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return w
}

// layOut gives the lines of a table. Where fit is not 0, the widest columns of text
// are cut until a line has no more than so many cells.
func layOut(head []string, rows [][]string, fit int) []string {
	right := make([]bool, len(head))
	names := make([]string, len(head))
	for i, h := range head {
		names[i], right[i] = strings.CutPrefix(h, "-")
	}
	shown := [][]string{names}
	for _, r := range rows {
		line := make([]string, len(r))
		for i, c := range r {
			line[i] = host.Shown(c)
		}
		shown = append(shown, line)
	}
	widths := make([]int, len(head))
	for _, r := range shown {
		for i, c := range r {
			widths[i] = max(widths[i], host.Width(c))
		}
	}
	if fit > 0 {
		narrow(widths, right, fit-2*(len(head)-1))
	}
	var lines []string
	for _, r := range shown {
		var b strings.Builder
		for i, c := range r {
			c = cut(c, widths[i])
			pad := strings.Repeat(" ", max(0, widths[i]-host.Width(c)))
			if right[i] {
				c, pad = pad+c, ""
			}
			b.WriteString(c + pad + "  ")
		}
		lines = append(lines, strings.TrimRight(b.String(), " "))
	}
	return lines
}

// narrow takes from the widest columns of text until all together have no more
// than fit cells, or none can give any more.
func narrow(widths []int, right []bool, fit int) {
	sum := 0
	for _, w := range widths {
		sum += w
	}
	for ; sum > fit; sum-- {
		widest := -1
		for i, w := range widths {
			if !right[i] && w > cellMin && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		widths[widest]--
	}
}

// cut shortens a text to so many cells, with … where something is missing.
func cut(text string, most int) string {
	if host.Width(text) <= most {
		return text
	}
	have := 0
	for i, c := range text {
		if have += host.Width(string(c)); have > most-1 {
			return text[:i] + "…"
		}
	}
	return text
}
