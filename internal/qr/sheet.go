package qr

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"strings"
	"unicode"

	rsc "rsc.io/qr"
)

// Card is one code on paper and what stands beside it.
type Card struct {
	Title string   // large
	Lines []string // small, below the code
	Link  string
}

// A page is A4; lengths are in millimetres.
const (
	pageWidth, pageHeight = 210.0, 297.0
	margin                = 8.0
	columns, rows         = 3, 4
	PageCards             = columns * rows
	cellWidth             = (pageWidth - 2*margin) / columns
	cellHeight            = (pageHeight - 2*margin) / rows
	codeSide              = 46.0       // at most
	dot                   = 25.4 / 300 // a printer's; modules are whole ones, so that all are of one size
	quiet                 = 4          // modules of white around a code
	titleSize, lineSize   = 4.6, 2.3
)

// Pages draws cards on pages of A4, each an SVG file.
func Pages(cards []Card) ([][]byte, error) {
	var pages [][]byte
	for len(cards) > 0 {
		n := min(len(cards), PageCards)
		page, err := page(cards[:n])
		if err != nil {
			return nil, err
		}
		pages, cards = append(pages, page), cards[n:]
	}
	return pages, nil
}

// HTML is one file with all pages, which a browser prints each on a sheet of its
// own.
func HTML(title string, pages [][]byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>%s</title>\n<style>\n"+
		"@page { size: A4 portrait; margin: 0 }\nbody { margin: 0 }\nsvg { display: block; break-after: page; break-inside: avoid }\n</style>\n</head>\n<body>\n", escaped(title))
	for _, p := range pages {
		b.Write(p)
	}
	b.WriteString("</body>\n</html>\n")
	return b.Bytes()
}

func page(cards []Card) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%gmm\" height=\"%gmm\" viewBox=\"0 0 %g %g\" font-family=\"sans-serif\">\n"+
		"<rect width=\"%g\" height=\"%g\" fill=\"#fff\"/>\n", pageWidth, pageHeight, pageWidth, pageHeight, pageWidth, pageHeight)
	for i, c := range cards {
		x, y := margin+float64(i%columns)*cellWidth, margin+float64(i/columns)*cellHeight
		if err := card(&b, c, x, y); err != nil {
			return nil, err
		}
	}
	b.WriteString("</svg>\n")
	return b.Bytes(), nil
}

// card draws one card with its upper left corner at x and y, and a line to cut
// along around it.
func card(b *bytes.Buffer, c Card, x, y float64) error {
	code, err := rsc.Encode(c.Link, rsc.M)
	if err != nil {
		return fmt.Errorf("draw a QR code: %w", err)
	}
	fmt.Fprintf(b, "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"none\" stroke=\"#bbb\" stroke-width=\"0.1\" stroke-dasharray=\"1 1\"/>\n", x, y, cellWidth, cellHeight)
	middle := x + cellWidth/2
	text := func(size, at float64, weight, s string) {
		size = min(size, (cellWidth-4)/textWidth(s))
		fmt.Fprintf(b, "<text x=\"%.2f\" y=\"%.2f\" font-size=\"%.2f\" text-anchor=\"middle\"%s>%s</text>\n", middle, at, size, weight, escaped(s))
	}
	text(titleSize, y+6.5, " font-weight=\"bold\"", c.Title)
	all := float64(code.Size + 2*quiet)
	scale := math.Floor(codeSide/all/dot) * dot
	fmt.Fprintf(b, "<path transform=\"translate(%.4f %.4f) scale(%.6f)\" shape-rendering=\"crispEdges\" d=\"%s\"/>\n",
		middle-scale*float64(code.Size)/2, y+8+quiet*scale, scale, modules(code))
	for i, l := range c.Lines {
		text(lineSize, y+8+codeSide+2+float64(i)*3.6, "", l)
	}
	return nil
}

// modules is the outline of a code's dark modules, a bar for each run of a row.
func modules(code *rsc.Code) string {
	var b strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			n := 0
			for x+n < code.Size && code.Black(x+n, y) {
				n++
			}
			if n > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x, y, n, n)
				x += n
			}
		}
	}
	return b.String()
}

// textWidth is how wide a text is at most, in font sizes; it is never 0.
func textWidth(s string) float64 {
	w := 0.5
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r < 0x2000 && !unicode.IsUpper(r) && r != 'm' && r != 'w':
			w += 0.62
		case r < 0x2000:
			w += 0.85
		default: // Chinese, Japanese, Korean, pictures: as wide as high
			w += 1.05
		}
	}
	return w
}

func escaped(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a Buffer takes everything
	return b.String()
}
