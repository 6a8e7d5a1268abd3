package host

import (
	"errors"
	"fmt"
	"io"
	"os"

	"weir/internal/qr"
	"weir/ledger/wire"
)

// Pictured is a link that a picture shows.
type Pictured struct {
	Link string
	What string // for people: which of several it is
	// Invites says that it is an invitation: nothing in one tells whose it is.
	Invites bool
}

// ReadImage reads the weir links from the QR codes of a picture, each once.
func ReadImage(path string) ([]Pictured, error) {
	b, err := readLimited(path, qr.FileBytesMax)
	if err != nil {
		return nil, err
	}
	texts, err := qr.Read(b)
	switch {
	case errors.Is(err, qr.ErrNone):
		return nil, misread("%s: %v. The whole code has to be in it, with a little white around it, sharp and evenly lit: take it again from nearer, or type the link", path, err)
	case err != nil:
		return nil, misread("%s: %v", path, err)
	}
	return pictured(path, texts)
}

// readLimited reads a file that somebody names.
func readLimited(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if i, err := f.Stat(); err == nil && i.IsDir() {
		return nil, misread("%s is a directory; name a file", path)
	}
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > most {
		return nil, misread("%s has more than %d KiB, which is too much for what is wanted", path, most>>10)
	}
	return b, nil
}

// pictured leaves of what codes say the links.
func pictured(path string, texts []string) ([]Pictured, error) {
	var found []Pictured
	var bad error
	for _, t := range texts {
		l, err := wire.ParseLink(t)
		switch {
		case err == nil:
			_, invites := l.(wire.Invitation)
			found = append(found, Pictured{t, what(l), invites})
		case !errors.Is(err, wire.ErrNotLink):
			bad = err
		}
	}
	switch {
	case len(found) > 0:
		return found, nil
	case bad != nil:
		return nil, fmt.Errorf("the code in %s: %w", path, bad)
	case len(texts) > 1:
		return nil, misread("%s shows %d QR codes, and none of them is a weir link", path, len(texts))
	}
	return nil, misread("the QR code in %s is not a weir link; it says %.60q", path, texts[0])
}

// what tells one of several links from the others.
func what(l any) string {
	kind, _ := KindOf(l)
	switch l := l.(type) {
	case wire.Invitation:
		return fmt.Sprintf("%s to the database %s, good until %s", kind, l.ID.String()[:8], l.Expires.Local().Format("2006-01-02 15:04"))
	case wire.DatabaseLink:
		return fmt.Sprintf("%s, of %s", kind, l.ID.String()[:8])
	case wire.MemberCode:
		return fmt.Sprintf("%s, of %s (key %s)", kind, l.Name, l.Key.Short())
	case wire.Answer:
		return fmt.Sprintf("%s, for account %d of the database %s", kind, l.Account, l.ID.String()[:8])
	}
	return kind
}
