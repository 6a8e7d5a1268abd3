package host

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"weir/internal/qr"
	"weir/manager"
)

// Sheets is a directory to be, with invitations to print and to send. It is written
// beside its place, and put there whole.
type Sheets struct{ out, staging string }

// SheetsView is what was written.
type SheetsView struct {
	Directory   string           `json:"directory"`
	Print       string           `json:"print"` // the file to print, all pages
	Pages       int              `json:"pages"` // of A4, each also a file of its own
	Table       string           `json:"table"` // CSV
	Invitations []InvitationView `json:"invitations"`
}

// NewSheets makes sure that a directory can be written, before anything is made
// that is to stand in it. It must not be there, or be empty.
func NewSheets(out string) (*Sheets, error) {
	out, err := filepath.Abs(out)
	if err != nil {
		return nil, err
	}
	switch names, err := os.ReadDir(out); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("write invitations: %w", err)
	case len(names) > 0:
		return nil, refused("%s has something in it already, and nothing was made: name a new directory", out)
	}
	staging, err := os.MkdirTemp(filepath.Dir(out), ".weir-sheets-*") // mode 0700
	if err != nil {
		return nil, fmt.Errorf("write invitations: %w; nothing was made", err)
	}
	return &Sheets{out, staging}, nil
}

// Discard removes what was not put into its place.
func (s *Sheets) Discard() { _ = os.RemoveAll(s.staging) }

// Write writes the sheets of some invitations, with their links, and the table.
func (s *Sheets) Write(database string, all []InvitationView) (SheetsView, error) {
	v := SheetsView{Directory: s.out, Print: filepath.Join(s.out, "print.html"), Table: filepath.Join(s.out, "invitations.csv"), Invitations: all}
	var cards []qr.Card
	for _, i := range all {
		cards = append(cards, card(database, i))
	}
	pages, err := qr.Pages(cards)
	if err != nil {
		return v, err
	}
	v.Pages = len(pages)
	files := map[string][]byte{"print.html": qr.HTML("Invitations to "+Shown(database), pages), "invitations.csv": table(all)}
	for i, p := range pages {
		files[fmt.Sprintf("page-%02d.svg", i+1)] = p
	}
	for name, b := range files {
		if err := writeSynced(filepath.Join(s.staging, name), b); err != nil {
			return v, fmt.Errorf("write invitations: %w", err)
		}
	}
	_ = os.Remove(s.out) // an empty one; anything else stays, and is met by the next line
	if err := os.Rename(s.staging, s.out); err != nil {
		return v, fmt.Errorf("write invitations: %w", err)
	}
	return v, nil
}

func writeSynced(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

// card is an invitation on paper.
func card(database string, i InvitationView) qr.Card {
	title, database := Shown(i.For), Shown(database)
	if title == "" {
		title = fmt.Sprintf("Invitation %d", i.Number)
	}
	return qr.Card{Title: title, Link: i.Link, Lines: []string{
		fmt.Sprintf("%s · number %d · good until %s", database, i.Number, until(i.Expires)),
		"Take a photo of this code, and join with it:",
		"weir member join --image PHOTO",
		"For one person: show it to nobody else.",
	}}
}

// until is a view's time for paper, in the zone of whoever prints it.
func until(text string) string {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	return t.Local().Format("2 Jan 2006, 15:04")
}

// table is the invitations as CSV, for a program that writes letters.
func table(all []InvitationView) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write([]string{"number", "id", "for", "expires", "link"}) // a Buffer takes everything
	for _, i := range all {
		_ = w.Write([]string{fmt.Sprint(i.Number), i.ID, Cell(i.For), i.Expires, i.Link})
	}
	w.Flush()
	return b.Bytes()
}

// formula is what a spreadsheet may take for one (OWASP, CSV injection): text that
// begins with a sign of theirs, also with a wide one, or has one behind what some
// take for the border of a cell.
// Behind such a border a smile, ;-), is none: something has to come of it.
var (
	formula       = regexp.MustCompile(`^([\s\p{Zs}\p{Cf}"']*)([=+\-@＝＋－＠])`)
	formulaWithin = regexp.MustCompile(`([;|\t][\s\p{Zs}\p{Cf}"']*)([=+\-@＝＋－＠])([\pL\pN@("'=+\-.])`)
)

// Cell keeps spreadsheets from running a cell that somebody else wrote: what would
// be a formula is quoted.
func Cell(s string) string {
	return formulaWithin.ReplaceAllString(formula.ReplaceAllString(s, "$1'$2"), "$1'$2$3")
}

// namesBytesMax is more than the longest names of as many as are made at once.
const namesBytesMax = 1 << 18

// ReadNames reads for whom invitations are, one a line; empty lines are none.
func ReadNames(path string) ([]string, error) {
	b, err := readLimited(path, namesBytesMax)
	if err != nil {
		return nil, err
	}
	return parseNames(path, b)
}

func parseNames(path string, b []byte) ([]string, error) {
	if !utf8.Valid(b) {
		return nil, misread("%s is not UTF-8 text; save it as plain text in UTF-8, one name a line", path)
	}
	var names []string
	for n, line := range strings.Split(strings.TrimPrefix(string(b), "\ufeff"), "\n") {
		line = strings.Join(strings.Fields(line), " ") // as people align them
		if line == "" {
			continue
		}
		if err := manager.CheckFor(line); err != nil {
			return nil, misread("line %d of %s: %v", n+1, path, err)
		}
		names = append(names, line)
	}
	switch {
	case len(names) == 0:
		return nil, misread("%s has no names in it; it has one a line", path)
	case len(names) > manager.InvitationsMax:
		return nil, misread("%s has %d names, and %d invitations are made at once at most: divide it", path, len(names), manager.InvitationsMax)
	}
	return names, nil
}
