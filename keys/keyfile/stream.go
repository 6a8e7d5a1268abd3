package keyfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

const (
	// ageMagic is how every age file begins.
	ageMagic = "age-encryption.org/v1\n"
	// sealedHeadMax bounds what is read before the passphrase is tried: age reads lines.
	sealedHeadMax = 1 << 20
)

// Seal encrypts what is written to it, under a passphrase, until it is closed: an
// age file that is not armored, which age -d opens. workFactor is as in File.
func Seal(w io.Writer, passphrase string, workFactor int) (io.WriteCloser, error) {
	r, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	if workFactor > 0 {
		r.SetWorkFactor(workFactor)
	}
	return age.Encrypt(w, r)
}

// Sealed says whether what begins so is what Seal wrote.
func Sealed(head []byte) bool { return bytes.HasPrefix(head, []byte(ageMagic)) }

// Open decrypts what Seal wrote. ErrPassphrase when it is another passphrase;
// ErrDamaged, here or from a Read, when the bytes are not what was written.
func Open(r io.Reader, passphrase string) (io.Reader, error) {
	id, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, ErrPassphrase // an empty one
	}
	id.SetMaxWorkFactor(workFactorMax)
	head := &headed{r: bufio.NewReader(r), left: sealedHeadMax}
	plain, err := age.Decrypt(head, id)
	var none *age.NoIdentityMatchError
	switch {
	case head.err != nil:
		return nil, head.err
	case errors.As(err, &none):
		return nil, ErrPassphrase
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	head.left = -1
	return &sealedReader{plain, head}, nil
}

// headed reads with a limit as long as left is not negative, and remembers what
// went wrong below.
type headed struct {
	r    io.Reader
	left int
	err  error
}

func (h *headed) Read(p []byte) (int, error) {
	if h.left == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	if h.left > 0 {
		p = p[:min(len(p), h.left)]
	}
	n, err := h.r.Read(p)
	if h.left > 0 {
		h.left -= n
	}
	if err != nil && err != io.EOF {
		h.err = err
	}
	return n, err
}

type sealedReader struct {
	plain io.Reader
	below *headed
}

func (s *sealedReader) Read(p []byte) (int, error) {
	n, err := s.plain.Read(p)
	if err != nil && err != io.EOF && s.below.err == nil {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return n, err
}
