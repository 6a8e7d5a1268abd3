package store

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

const (
	formatFile = "FORMAT"
	// formatVersion is the version of everything on the disk: the layout, the
	// rows, pebble's own format. 2 added shelves, 3 the count of commits, 4 earlier
	// keys and names of accounts (upgrade.go).
	formatVersion = 4
	formatName    = "weir store "
	// formatBegun stands behind the version until the store is complete.
	formatBegun = " unfinished"

	charterFile = "charter"
	streamDir   = "stream"

	formatBytesMax = 256
)

// writeFormat says that a store is being made here, or is complete.
func writeFormat(d fileSystem, complete bool) error {
	text := formatName + strconv.Itoa(formatVersion)
	if !complete {
		text += formatBegun
	}
	return writeFile(d, formatFile, []byte(text+"\n"))
}

// readFormat is the format of the complete store that is here; or 0 and
// ErrNotFound for none, errBegun for one whose making was begun, or something else.
func readFormat(d fileSystem) (version int, err error) {
	b, err := readFile(d, formatFile, formatBytesMax)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, ErrNotFound
	}
	if err != nil {
		return 0, err
	}
	return parseFormat(b)
}

// errBegun is the ErrNotFound of a store whose making was interrupted.
var errBegun = fmt.Errorf("%w: its making was interrupted", ErrNotFound)

func parseFormat(b []byte) (int, error) {
	text, whole := strings.CutSuffix(string(b), "\n")
	text, named := strings.CutPrefix(text, formatName)
	number, begun := strings.CutSuffix(text, formatBegun)
	version, err := strconv.Atoi(number)
	switch {
	case !whole || !named || err != nil || version < 1 || strconv.Itoa(version) != number:
		return 0, fmt.Errorf("%w: %s says %q", ErrDamaged, formatFile, b)
	case version > formatVersion:
		return 0, fmt.Errorf("%w: its format is %d, this weir knows %d", ErrVersion, version, formatVersion)
	case begun:
		return 0, errBegun
	}
	return version, nil
}

// strangers is an error if something bears the name of a part of a store where
// none was begun. A store's parts never come before FORMAT, so it is not ours to
// remove, or it is ours and FORMAT was lost.
func strangers(d fileSystem) error {
	for _, name := range []string{streamDir, indexDir} {
		if _, err := d.list(name); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: there is %s, but no %s", ErrDamaged, name, formatFile)
		}
	}
	for _, name := range []string{charterFile, countFile} {
		f, err := d.open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = f.Close()
		}
		return errors.Join(fmt.Errorf("%w: there is %s, but no %s", ErrDamaged, name, formatFile), err)
	}
	return nil
}

// prepare makes the disk ready for a new store: what an interrupted making
// left is removed, anything else is not touched.
func prepare(d fileSystem) error {
	_, err := readFormat(d)
	if err == nil {
		return ErrExists
	}
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	if !errors.Is(err, errBegun) {
		if err := strangers(d); err != nil {
			return err
		}
		if err := writeFormat(d, false); err != nil {
			return err
		}
	}
	for _, name := range []string{streamDir, indexDir} {
		if err := d.removeAll(name); err != nil {
			return err
		}
	}
	for _, name := range []string{streamDir, indexDir} {
		if err := d.mkdir(name); err != nil {
			return err
		}
	}
	return d.syncDir(".")
}
