package keyfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"

	"weir/keys"
)

// Errors that callers branch on.
var (
	ErrExists     = errors.New("there is a key already")
	ErrNotFound   = errors.New("there is no key")
	ErrPassphrase = errors.New("the passphrase is wrong")
	ErrDamaged    = errors.New("the key file is damaged")
)

const (
	fileBytesMax  = 16 << 10
	workFactorMax = 22 // 2^22 rounds of scrypt: 15 s; more is an attack, not a key
	remedy        = "restore it from its copy, or make it again from the 24 words"
	plainComment  = "# A weir secret key, NOT encrypted. Whoever reads this file can act as you.\n"
)

// File is a key on a disk: its path, without ".pub".
type File struct {
	Path string
	// WorkFactor is age's scrypt work factor, log2; 0: age's own (about a
	// second). Tests lower it.
	WorkFactor int
}

// Create writes a new key. An empty passphrase means in the open. It gives
// ErrExists when either file is there.
func (f File) Create(s keys.Seed, passphrase string) error {
	for _, p := range []string{f.Path, f.Path + ".pub"} {
		if _, err := os.Lstat(p); err == nil {
			return fmt.Errorf("write the key %s: %w", f.Path, ErrExists)
		}
	}
	return f.write(s, passphrase)
}

// Rewrite replaces the passphrase of the key. The caller has just read s from
// the same file.
func (f File) Rewrite(s keys.Seed, passphrase string) error { return f.write(s, passphrase) }

func (f File) write(s keys.Seed, passphrase string) error {
	b, err := f.encode(s, passphrase)
	if err != nil {
		return fmt.Errorf("write the key %s: %w", f.Path, err)
	}
	// The sum first would call the old key damaged after a crash between the
	// two; the key first leaves a sum that does not fit, which Read mends when
	// the key opens and is the one that the first line names.
	if err := WriteAtomic(f.Path, b); err != nil {
		return fmt.Errorf("write the key: %w", err)
	}
	if err := f.writePub(keys.Derive(s).Public(), b); err != nil {
		return fmt.Errorf("write the key: %w", err)
	}
	return nil
}

// writePub writes the public key and the sum of the key file's bytes.
func (f File) writePub(k keys.Public, b []byte) error {
	sum := sha256.Sum256(b)
	return WriteAtomic(f.Path+".pub", []byte(k.String()+"\n"+hex.EncodeToString(sum[:])+"\n"))
}

func (f File) encode(s keys.Seed, passphrase string) ([]byte, error) {
	line := s.Text() + "\n"
	if passphrase == "" {
		return []byte(plainComment + line), nil
	}
	r, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, err
	}
	if f.WorkFactor > 0 {
		r.SetWorkFactor(f.WorkFactor)
	}
	var out bytes.Buffer
	a := armor.NewWriter(&out)
	w, err := age.Encrypt(a, r)
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(w, line); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if err := a.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Encrypted says whether reading the key needs a passphrase.
func (f File) Encrypted() (bool, error) {
	b, err := f.load()
	if err != nil {
		return false, err
	}
	return bytes.HasPrefix(b, []byte(armor.Header)), nil
}

// Public is the public key, which needs no passphrase.
func (f File) Public() (keys.Public, error) {
	k, _, err := f.pub()
	if err != nil {
		return keys.Public{}, fmt.Errorf("read %s.pub: %w", f.Path, err)
	}
	return k, nil
}

func (f File) pub() (k keys.Public, sum string, err error) {
	b, err := readSmall(f.Path + ".pub")
	if err != nil {
		return k, "", err
	}
	first, second, _ := strings.Cut(string(b), "\n")
	if k, err = keys.ParsePublic(first); err != nil {
		return k, "", fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return k, strings.TrimSpace(second), nil
}

// Read gives the seed. ask is called only when the file is encrypted. Where a
// crash has left a key.pub that does not fit, a key that opens mends it.
func (f File) Read(ask func() (string, error)) (keys.Seed, error) {
	s, err := f.read(ask)
	if err != nil {
		return keys.Seed{}, fmt.Errorf("open the key %s: %w", f.Path, err)
	}
	return s, nil
}

func (f File) read(ask func() (string, error)) (keys.Seed, error) {
	b, err := f.load()
	if err != nil {
		return keys.Seed{}, err
	}
	public, sum, pubErr := f.pub()
	got := sha256.Sum256(b)
	whole := pubErr == nil && sum == hex.EncodeToString(got[:])

	line := b
	if bytes.HasPrefix(b, []byte(armor.Header)) {
		passphrase, err := ask()
		if err != nil {
			return keys.Seed{}, err
		}
		if line, err = decrypt(b, passphrase); err != nil {
			var none *age.NoIdentityMatchError
			switch wrong := errors.As(err, &none); {
			case wrong && (whole || pubErr != nil):
				return keys.Seed{}, ErrPassphrase
			case wrong:
				// A sum that does not fit is that of the file before a crash, or of
				// this one before it was damaged: age cannot tell which.
				return keys.Seed{}, fmt.Errorf("%w, or else %w: it is not as %s.pub has it; try again, and only if no passphrase opens it %s",
					ErrPassphrase, ErrDamaged, filepath.Base(f.Path), remedy)
			}
			return keys.Seed{}, fmt.Errorf("%w: %w; %s", ErrDamaged, err, remedy)
		}
	} else {
		line = bytes.TrimPrefix(b, []byte(plainComment))
	}
	s, err := keys.ParseSeed(string(line))
	if err != nil {
		return keys.Seed{}, fmt.Errorf("%w: %w; %s", ErrDamaged, err, remedy)
	}
	if pubErr == nil && keys.Derive(s).Public() != public {
		return keys.Seed{}, fmt.Errorf("%w: it holds another key than %s.pub names", ErrDamaged, filepath.Base(f.Path))
	}
	if pubErr == nil && !whole || errors.Is(pubErr, os.ErrNotExist) {
		_ = f.writePub(keys.Derive(s).Public(), b) // where nothing can be written, reading goes on as before
	}
	return s, nil
}

func decrypt(b []byte, passphrase string) ([]byte, error) {
	id, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, &age.NoIdentityMatchError{} // an empty passphrase
	}
	id.SetMaxWorkFactor(workFactorMax)
	r, err := age.Decrypt(armor.NewReader(bytes.NewReader(b)), id)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, fileBytesMax))
}

func (f File) load() ([]byte, error) {
	b, err := readSmall(f.Path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, ErrNotFound
	}
	return b, err
}

func readSmall(path string) ([]byte, error) {
	b, err := ReadSmall(path, fileBytesMax)
	if errors.Is(err, ErrNotSmall) {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return b, err
}
