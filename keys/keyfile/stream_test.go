package keyfile

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

func sealed(t testing.TB, plain []byte, passphrase string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := Seal(&b, passphrase, 4)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func opened(b []byte, passphrase string) ([]byte, error) {
	r, err := Open(bytes.NewReader(b), passphrase)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func TestWhatIsSealedOpensWithItsPassphraseOnly(t *testing.T) {
	plain := bytes.Repeat([]byte("what is in a directory "), 10_000)
	b := sealed(t, plain, "river bank")
	if !Sealed(b) || Sealed(plain) {
		t.Error("it does not begin as it should")
	}
	if got, err := opened(b, "river bank"); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("it opens with %v", err)
	}
	for _, wrong := range []string{"", "river", "River bank"} {
		if _, err := opened(b, wrong); !errors.Is(err, ErrPassphrase) {
			t.Errorf("%q: got %v", wrong, err)
		}
	}
}

func TestWhatWasSealedAndIsNotWholeIsDamaged(t *testing.T) {
	b := sealed(t, bytes.Repeat([]byte("x"), 200_000), "river bank")
	for _, n := range []int{30, 100, 200, 70_000, len(b) - 1} {
		if _, err := opened(b[:n], "river bank"); !errors.Is(err, ErrDamaged) {
			t.Errorf("cut to %d: got %v", n, err)
		}
		garbled := bytes.Clone(b)
		garbled[n] ^= 1
		if _, err := opened(garbled, "river bank"); err == nil {
			t.Errorf("garbled at %d: it opens", n)
		}
	}
}

type failing struct{ io.Reader }

var errDisk = errors.New("the stick was pulled out")

func (f failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err == io.EOF {
		err = errDisk
	}
	return n, err
}

func TestADiskThatFailsIsNoDamage(t *testing.T) {
	b := sealed(t, bytes.Repeat([]byte("x"), 200_000), "river bank")
	for _, n := range []int{20, 70_000} {
		r, err := Open(failing{bytes.NewReader(b[:n])}, "river bank")
		if err == nil {
			_, err = io.ReadAll(r)
		}
		if !errors.Is(err, errDisk) || errors.Is(err, ErrDamaged) {
			t.Errorf("after %d bytes: got %v", n, err)
		}
	}
}
