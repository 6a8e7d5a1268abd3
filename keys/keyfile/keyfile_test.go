package keyfile

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"

	"weir/keys"
)

func never() (string, error) { return "", errors.New("asked for a passphrase") }

func says(p string) func() (string, error) { return func() (string, error) { return p, nil } }

func newFile(t *testing.T) (File, keys.Seed) {
	t.Helper()
	return File{Path: filepath.Join(t.TempDir(), "key"), WorkFactor: 4}, keys.Seed{1, 2, 3}
}

func TestAKeyInTheOpenComesBackWithoutAPassphrase(t *testing.T) {
	f, seed := newFile(t)
	if err := f.Create(seed, ""); err != nil {
		t.Fatal(err)
	}
	got, err := f.Read(never)
	if err != nil || got != seed {
		t.Fatalf("got %v, %v", got, err)
	}
	if on, err := f.Encrypted(); on || err != nil {
		t.Fatalf("encrypted: %v, %v", on, err)
	}
	if k, err := f.Public(); err != nil || k != keys.Derive(seed).Public() {
		t.Fatalf("public: %v, %v", k, err)
	}
}

func TestFilesAreForTheirOwnerOnly(t *testing.T) {
	f, seed := newFile(t)
	if err := f.Create(seed, "river"); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{f.Path, f.Path + ".pub"} {
		i, err := os.Stat(p)
		if err != nil || i.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", p, i.Mode(), err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(f.Path), ".*")); len(left) != 0 {
		t.Errorf("temporary files left: %v", left)
	}
}

func TestAKeyIsNeverWrittenOver(t *testing.T) {
	f, seed := newFile(t)
	if err := f.Create(seed, ""); err != nil {
		t.Fatal(err)
	}
	if err := f.Create(keys.Seed{9}, ""); !errors.Is(err, ErrExists) {
		t.Fatalf("got %v", err)
	}
	if got, _ := f.Read(never); got != seed {
		t.Fatal("the old key is gone")
	}
}

func TestAgeOpensAnEncryptedKey(t *testing.T) {
	f, seed := newFile(t)
	if err := f.Create(seed, "river"); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	id, err := age.NewScryptIdentity("river")
	if err != nil {
		t.Fatal(err)
	}
	r, err := age.Decrypt(armor.NewReader(bytes.NewReader(b)), id)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := out.ReadFrom(r); err != nil || strings.TrimSpace(out.String()) != seed.Text() {
		t.Fatalf("age read %q, %v", out.String(), err)
	}
}

func TestAWrongPassphraseIsNotADamagedFile(t *testing.T) {
	f, seed := newFile(t)
	if err := f.Create(seed, "river"); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{"River", "", "river "} {
		if _, err := f.Read(says(wrong)); !errors.Is(err, ErrPassphrase) || errors.Is(err, ErrDamaged) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if got, err := f.Read(says("river")); err != nil || got != seed {
		t.Fatalf("got %v, %v", got, err)
	}
}

func TestDamageAnywhereIsCalledDamage(t *testing.T) {
	f, seed := newFile(t)
	for _, passphrase := range []string{"", "river"} {
		os.Remove(f.Path)
		os.Remove(f.Path + ".pub")
		if err := f.Create(seed, passphrase); err != nil {
			t.Fatal(err)
		}
		good, err := os.ReadFile(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		for i := range good {
			bad := bytes.Clone(good)
			bad[i] ^= 1
			if err := os.WriteFile(f.Path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := f.Read(says(passphrase))
			if err == nil && got == seed {
				continue // damage to a comment or to a line's end harms nothing
			}
			if !errors.Is(err, ErrDamaged) {
				t.Fatalf("passphrase %q, byte %d: %v, %v", passphrase, i, got, err)
			}
		}
	}
}

func TestACrashBetweenTheTwoFilesLosesNothing(t *testing.T) {
	f, seed := newFile(t)
	if err := f.Create(seed, "old"); err != nil {
		t.Fatal(err)
	}
	pub, err := os.ReadFile(f.Path + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Rewrite(seed, "new"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.Path+".pub", pub, 0o600); err != nil { // as it was before the crash
		t.Fatal(err)
	}
	// A passphrase that is wrong, be it only the old one, is never called damage alone.
	for _, wrong := range []string{"old", "New", ""} {
		if _, err := f.Read(says(wrong)); !errors.Is(err, ErrPassphrase) {
			t.Fatalf("%q: %v", wrong, err)
		}
	}
	if got, err := f.Read(says("new")); err != nil || got != seed {
		t.Fatalf("got %v, %v", got, err)
	}
	// Opened once, the two fit again.
	if _, err := f.Read(says("old")); !errors.Is(err, ErrPassphrase) || errors.Is(err, ErrDamaged) {
		t.Fatalf("after it was opened: %v", err)
	}
}

func TestAKeyWhosePublicHalfWasNeverWrittenGetsItWhenOpened(t *testing.T) {
	f, seed := newFile(t)
	if err := f.Create(seed, "river"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(f.Path + ".pub"); err != nil { // as after a crash between the two
		t.Fatal(err)
	}
	if _, err := f.Read(says("River")); !errors.Is(err, ErrPassphrase) || errors.Is(err, ErrDamaged) {
		t.Fatalf("got %v", err)
	}
	if got, err := f.Read(says("river")); err != nil || got != seed {
		t.Fatalf("got %v, %v", got, err)
	}
	if k, err := f.Public(); err != nil || k != keys.Derive(seed).Public() {
		t.Fatalf("public: %v, %v", k, err)
	}
}

func TestAnInterruptEndsTheWaitForAPassphrase(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	dir := t.TempDir()
	// The command says that it runs, and then waits for ever.
	fifo := filepath.Join(dir, "fifo")
	if err := exec.Command("mkfifo", fifo).Run(); err != nil {
		t.Skip("no mkfifo here")
	}
	done := make(chan error, 1)
	go func() {
		_, err := Passphrase{Command: "echo runs > '" + fifo + "'; read x < '" + fifo + "'"}.Ask(ctx)
		done <- err
	}()
	if _, err := os.ReadFile(fifo); err != nil {
		t.Fatal(err)
	}
	interrupt()
	if err := <-done; !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnread) {
		t.Fatalf("got %v", err)
	}
	if _, err := (Passphrase{File: fifo}).Ask(ctx); !errors.Is(err, context.Canceled) { // nobody writes into it
		t.Fatalf("got %v", err)
	}
	// A passphrase that comes too late makes no key.
	for _, p := range []Passphrase{{None: true}, {Command: "echo river"}} {
		if got, err := p.New(ctx); got != "" || !errors.Is(err, context.Canceled) {
			t.Errorf("%+v: %q, %v", p, got, err)
		}
	}
}

func TestAPassphraseComesFromAFileOrACommand(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pass")
	if err := os.WriteFile(path, []byte("river\nsecond line\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range []Passphrase{{File: path}, {Command: "echo river"}} {
		if got, err := p.Ask(t.Context()); err != nil || got != "river" {
			t.Errorf("%+v: %q, %v", p, got, err)
		}
	}
	for _, p := range []Passphrase{{File: path + ".none"}, {Command: "false"}, {Command: "true"}, {Command: "head -c 5000 /dev/zero | tr '\\0' x"}} {
		if got, err := p.Ask(t.Context()); err == nil {
			t.Errorf("%+v: %q", p, got)
		}
	}
	if _, err := (Passphrase{}).Ask(t.Context()); !errors.Is(err, ErrNoPassphrase) {
		t.Errorf("got %v", err)
	}
	if got, err := (Passphrase{None: true}).New(t.Context()); err != nil || got != "" {
		t.Errorf("none: %q, %v", got, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(plainComment + keys.Seed{1}.Text() + "\n"))
	f.Add([]byte(armor.Header + "\nAAAA\n"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(dir, "key")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("scrypt")) {
			return // a file may ask for seconds of work, up to the limit
		}
		File{Path: path}.Read(says("x"))
	})
}
