package backup

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Errors that callers branch on.
var (
	// ErrDamaged: the file is not, or not any more, what was written.
	ErrDamaged = errors.New("the backup is damaged")
	// ErrNot: the file is no backup at all.
	ErrNot = errors.New("this is not a backup of weir")
	// ErrVersion: it was written by a later version of weir.
	ErrVersion = errors.New("the backup was made by a newer weir")
)

// Kinds of files.
const (
	KindBackup = "backup" // a copy: the directory goes on
	KindMove   = "move"   // the directory goes on only where this is restored
)

const (
	format   = 1
	listName = "weir-backup.json"
	sumsName = "SHA256SUMS"

	listBytesMax = 16 << 20
	filesMax     = 1 << 17 // a database of 1 TiB
)

// File is one file by name and size.
type File struct {
	Name string `json:"name"` // relative to the data directory, with slashes
	Size int64  `json:"size"`
}

// List is what a backup says of itself.
type List struct {
	Format int       `json:"format"`
	ID     string    `json:"id"` // 32 hex digits, drawn for this file
	Kind   string    `json:"kind"`
	Made   time.Time `json:"made"`
	Files  []File    `json:"files"`
}

// Bytes is how much the files have together.
func (l *List) Bytes() int64 {
	n := int64(0)
	for _, f := range l.Files {
		n += f.Size
	}
	return n
}

// rules are the names that a file may have, and how long it may be.
var rules = []struct {
	name  *regexp.Regexp
	bytes int64
}{
	{regexp.MustCompile(`^key(\.pub)?$`), 16 << 10},
	{regexp.MustCompile(`^weir\.toml$`), 64 << 10},
	{regexp.MustCompile(`^[a-z][a-z0-9-]{0,40}\.json$`), 16 << 20},
	{regexp.MustCompile(`^db/[0-9a-f]{40}\.json$`), 64 << 10},
	{regexp.MustCompile(`^db/[0-9a-f]{40}/charter$`), 1000},
	{regexp.MustCompile(`^db/[0-9a-f]{40}/rows$`), 1 << 40},
	{regexp.MustCompile(`^db/[0-9a-f]{40}/stream/[0-9]{6}\.vol$`), 64 << 20},
}

// fits says whether a file may be in a backup.
func fits(f File) error {
	for _, r := range rules {
		if f.Name == listName || !r.name.MatchString(f.Name) {
			continue
		}
		if f.Size < 0 || f.Size > r.bytes {
			return fmt.Errorf("%w: %s would have %d bytes", ErrDamaged, f.Name, f.Size)
		}
		return nil
	}
	return fmt.Errorf("%w: a file called %.80q does not belong into one", ErrDamaged, f.Name)
}

// Fits says whether a data directory's file of this name may be in a backup.
func Fits(name string) bool { return fits(File{Name: name}) == nil }

func (l *List) check() error {
	id, err := hex.DecodeString(l.ID)
	switch {
	case l.Format > format:
		return fmt.Errorf("%w: its format is %d, this weir knows %d", ErrVersion, l.Format, format)
	case l.Format < 1 || err != nil || len(id) != 16 || l.Made.IsZero() || l.Kind != KindBackup && l.Kind != KindMove:
		return fmt.Errorf("%w: what it says of itself does not read", ErrDamaged)
	case len(l.Files) > filesMax:
		return fmt.Errorf("%w: it has %d files", ErrDamaged, len(l.Files))
	}
	seen := map[string]bool{}
	for _, f := range l.Files {
		if err := fits(f); err != nil {
			return err
		}
		if seen[f.Name] {
			return fmt.Errorf("%w: it has %s twice", ErrDamaged, f.Name)
		}
		seen[f.Name] = true
	}
	return nil
}

func parseList(b []byte) (*List, error) {
	var version struct {
		Format int `json:"format"`
	}
	if json.Unmarshal(b, &version) == nil && version.Format > format {
		return nil, (&List{Format: version.Format}).check()
	}
	var l List
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return nil, fmt.Errorf("%w: what it says of itself does not read", ErrDamaged)
	}
	if d.More() {
		return nil, fmt.Errorf("%w: what it says of itself does not read", ErrDamaged)
	}
	return &l, l.check()
}
