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
	// rows, pebble's own format. 2 added shelves (upgrade.go).
	formatVersion = 2
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

// readFormat says whether a complete store is here (nil), one that was begun
// (ErrNotFound and begun), none (ErrNotFound), or something else.
func readFormat(d fileSystem) (begun bool, err error) {
	b, err := readFile(d, formatFile, formatBytesMax)
	if errors.Is(err, fs.ErrNotExist) {
		return false, ErrNotFound
	}
	if err != nil {
		return false, err
	}
	return parseFormat(b)
}

func parseFormat(b []byte) (begun bool, err error) {
	text, whole := strings.CutSuffix(string(b), "\n")
	text, named := strings.CutPrefix(text, formatName)
	number, begun := strings.CutSuffix(text, formatBegun)
	version, err := strconv.Atoi(number)
	switch {
	case !whole || !named || err != nil || version < 1 || strconv.Itoa(version) != number:
		return false, fmt.Errorf("%w: %s says %q", ErrDamaged, formatFile, b)
	case version > formatVersion:
		return false, fmt.Errorf("%w: its format is %d, this weir knows %d", ErrVersion, version, formatVersion)
	case begun:
		return true, fmt.Errorf("%w: its making was interrupted", ErrNotFound)
	}
	return false, nil
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
	f, err := d.open(charterFile)
	if !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = f.Close()
		}
		return errors.Join(fmt.Errorf("%w: there is %s, but no %s", ErrDamaged, charterFile, formatFile), err)
	}
	return nil
}

// prepare makes the disk ready for a new store: what an interrupted making
// left is removed, anything else is not touched.
func prepare(d fileSystem) error {
	begun, err := readFormat(d)
	if err == nil {
		return ErrExists
	}
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	if !begun {
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
