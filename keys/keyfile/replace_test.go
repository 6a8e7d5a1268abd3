package keyfile

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"weir/keys"
)

func TestAForgottenPassphraseIsReplacedByTheWords(t *testing.T) {
	f := File{Path: filepath.Join(t.TempDir(), "key"), WorkFactor: 4}
	seed, other := keys.Seed{1}, keys.Seed{2}
	if err := f.Create(seed, "forgotten"); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(f.Path)
	if err := f.Replace(other, "new"); !errors.Is(err, ErrOther) {
		t.Errorf("another key's words: %v", err)
	}
	if after, _ := os.ReadFile(f.Path); !bytes.Equal(before, after) {
		t.Error("another key's words changed the file")
	}
	read := func(passphrase string) error {
		got, err := f.Read(func() (string, error) { return passphrase, nil })
		if err == nil && got != seed {
			t.Error("another key was read")
		}
		return err
	}
	for _, c := range []struct {
		what  string
		spoil func() error
	}{
		{"as it is", func() error { return nil }},
		{"damaged", func() error { return os.WriteFile(f.Path, []byte("garbled"), 0o600) }},
		{"too long", func() error { return os.WriteFile(f.Path, make([]byte, fileBytesMax+1), 0o600) }},
		{"missing", func() error { return os.Remove(f.Path) }},
	} {
		if err := c.spoil(); err != nil {
			t.Fatal(err)
		}
		if err := f.Replace(seed, "new"); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		if err := read("new"); err != nil {
			t.Errorf("%s: afterwards %v", c.what, err)
		}
		if err := read("forgotten"); !errors.Is(err, ErrPassphrase) {
			t.Errorf("%s: the old passphrase gives %v", c.what, err)
		}
		if _, err := os.Lstat(f.Path + ".old"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: the old file is still there", c.what)
		}
	}
	if err := os.Remove(f.Path + ".pub"); err != nil {
		t.Fatal(err)
	}
	if err := f.Replace(seed, "new"); !errors.Is(err, ErrNotFound) {
		t.Errorf("without a public half: %v", err)
	}
}
