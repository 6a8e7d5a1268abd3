package host

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"weir/internal/backup"
	"weir/keys/keyfile"
)

// readBackup reads a backup file to its end; ask is called when it is encrypted.
func readBackup(ctx context.Context, path string, ask func() (string, error), begin func(*backup.List) error, take func(backup.File, io.Reader) error) (*backup.List, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the backup: %w", err)
	}
	defer f.Close()
	if i, err := f.Stat(); err != nil {
		return nil, fmt.Errorf("read the backup: %w", err)
	} else if !i.Mode().IsRegular() {
		return nil, fmt.Errorf("read the backup %s: %w", path, backup.ErrNot)
	}
	in := bufio.NewReaderSize(interruptible{ctx, f}, 1<<20)
	head, err := in.Peek(64)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the backup: %w", err)
	}
	var plain io.Reader = in
	switch {
	case keyfile.Sealed(head):
		passphrase, err := ask()
		if err != nil {
			return nil, err
		}
		if plain, err = keyfile.Open(in, passphrase); err != nil {
			return nil, fmt.Errorf("open the backup %s: %w", path, errBackup(err))
		}
	case !backup.Begins(head):
		return nil, fmt.Errorf("read the backup %s: %w", path, backup.ErrNot)
	}
	l, err := backup.Read(plain, begin, take)
	if err != nil {
		return nil, fmt.Errorf("read the backup %s: %w", path, errBackup(err))
	}
	return l, nil
}

// errBackup says of a backup what keyfile says of a key.
func errBackup(err error) error {
	if errors.Is(err, keyfile.ErrDamaged) {
		return fmt.Errorf("%w: it was changed, or not copied to its end", backup.ErrDamaged)
	}
	return err
}

// interruptible reads until ctx ends.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (i interruptible) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.r.Read(p)
}
