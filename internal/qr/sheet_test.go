package qr

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

func crc(b []byte) uint32 { return crc32.ChecksumIEEE(b) }

// parsed gives the texts of a drawing, which must be whole XML.
func parsed(t *testing.T, b []byte) (texts []string) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(b))
	in := false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return texts
		}
		if err != nil {
			t.Fatal(err)
		}
		switch k := token.(type) {
		case xml.StartElement:
			in = k.Name.Local == "text"
		case xml.EndElement:
			in = false
		case xml.CharData:
			if in {
				texts = append(texts, string(k))
			}
		}
	}
}

func TestPagesHaveEveryCardInOrder(t *testing.T) {
	var cards []Card
	for i := range 2*PageCards + 1 {
		cards = append(cards, Card{Title: fmt.Sprintf("Card <%d> & 山田", i), Lines: []string{"until then"}, Link: fmt.Sprintf("WEIR:%d", i)})
	}
	pages, err := Pages(cards)
	if err != nil || len(pages) != 3 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	var titles []string
	for _, p := range pages {
		for _, s := range parsed(t, p) {
			if strings.HasPrefix(s, "Card ") {
				titles = append(titles, s)
			}
		}
	}
	if len(titles) != len(cards) {
		t.Fatalf("%d titles", len(titles))
	}
	for i, s := range titles {
		if s != cards[i].Title {
			t.Errorf("%d: %q", i, s)
		}
	}
	html := HTML("A & <B>", pages)
	if !bytes.Contains(html, []byte("<title>A &amp; &lt;B&gt;</title>")) || bytes.Count(html, []byte("<svg ")) != 3 || !utf8.Valid(html) {
		t.Error("the pages in one file are not whole")
	}
	if _, err := Pages([]Card{{Link: strings.Repeat("x", 5000)}}); err == nil {
		t.Error("a link that fits no code is drawn")
	}
}

func TestALongNameIsMadeSmallerUntilItFits(t *testing.T) {
	for _, name := range []string{strings.Repeat("W", 64), strings.Repeat("山", 21), "Ana"} {
		size := min(titleSize, (cellWidth-4)/textWidth(name))
		if w := size * textWidth(name); w > cellWidth-3.9 {
			t.Errorf("%s: %.1f mm wide", name, w)
		}
		if name == "Ana" && size != titleSize {
			t.Errorf("a short name is drawn in %.2f mm", size)
		}
	}
}
