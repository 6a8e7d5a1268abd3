package host

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"weir/internal/control"
)

// machineRecord is where a data directory lives: hashes, with a salt of its own, of
// the system's machine id, of the directory's path, and of its place on the disk.
// They say nothing to anybody else, and never leave the directory. One key lives on
// one device: a directory that finds itself elsewhere was probably copied, by hand or
// by a program that keeps folders alike, or came with a disk's image.
type machineRecord struct {
	Salt    string `json:"salt"`
	Machine string `json:"machine"`
	Path    string `json:"path"`
	Place   string `json:"place"`
}

func (d Directory) machineFile() string { return filepath.Join(string(d), "machine") }

// machineAt is the record of a directory that lies at present, and will lie at path.
func machineAt(path, present string) machineRecord {
	salt := make([]byte, 16)
	rand.Read(salt)
	return hashed(hex.EncodeToString(salt), path, present)
}

func hashed(salt, path, present string) machineRecord {
	sum := func(what, of string) string {
		h := sha256.Sum256([]byte("weir/v1/machine\x00" + salt + "\x00" + what + "\x00" + of))
		return hex.EncodeToString(h[:])
	}
	return machineRecord{Salt: salt, Machine: sum("machine", machineID()), Path: sum("path", path), Place: sum("place", placeOf(present))}
}

// machineID is what the system calls this machine; its name where there is nothing
// better.
func machineID() string {
	if id := strings.TrimSpace(systemID()); id != "" {
		return id
	}
	name, _ := os.Hostname()
	return "host " + name
}

// Elsewhere says in plain words that the directory finds itself where it has not
// been before; "" when it is where it was, or was only renamed. A directory that
// remembers nothing is made to remember this place.
func (d Directory) Elsewhere() (string, error) {
	at, err := filepath.Abs(string(d))
	if err != nil {
		return "", err
	}
	var was machineRecord
	ok, err := readState(d.machineFile(), &was)
	if err != nil || !ok || was.Salt == "" {
		return "", d.settle(at)
	}
	is := hashed(was.Salt, at, at)
	switch {
	case is.Machine != was.Machine:
		return fmt.Sprintf(elsewhere, "this directory was last used on another computer"), nil
	case is.Path != was.Path && is.Place != was.Place:
		return fmt.Sprintf(elsewhere, "this directory is a copy of one that was used elsewhere on this computer"), nil
	case is != was:
		return "", d.settle(at) // renamed, or written anew in its place
	}
	return "", nil
}

const elsewhere = "%s. If the other one is still used, use only one of them: two with one key stop each other. " +
	"If it is not, and never will be again, say so once with weir doctor --fix. To go to another computer there is weir move"

// settle has the directory remember where it is now.
func (d Directory) settle(at string) error {
	if _, err := os.Stat(string(d)); err != nil {
		return nil // there is none yet
	}
	return writeState(d.machineFile(), machineAt(at, at))
}

// CopyInUse says of what the directory is a copy, where a weir runs on that: the
// copy's files name its socket. nil: of nothing, or of what nobody uses.
func (d Directory) CopyInUse(ctx context.Context) (*control.CopyError, error) {
	places, err := d.controls()
	if err != nil {
		return nil, err
	}
	for _, place := range places {
		var copied *control.CopyError
		err := control.Call(ctx, place, "copied", nil, nil)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if errors.As(err, &copied) {
			return copied, nil
		}
	}
	return nil, nil
}

// controls are the places where something answers, or did (Control).
func (d Directory) controls() ([]string, error) {
	places, err := filepath.Glob(filepath.Join(string(d), "control*"))
	return slices.DeleteFunc(places, func(place string) bool { return strings.HasSuffix(place, ".sock") }), err
}
