package host

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"weir/internal/backup"
	"weir/keys/keyfile"
	"weir/ledger/store"
)

// BackupConfig says what of a directory is written to which file.
type BackupConfig struct {
	Dir       Directory
	Databases []Database
	Out       string
	// Passphrase encrypts the file; "" leaves it in the open.
	Passphrase string
	// Snapshot asks whoever holds a database's store for a snapshot.
	Snapshot func(Database) (Snapshot, error)
	Now      time.Time

	workFactor int // of scrypt; 0: age's own. Tests lower it
}

// BackupView is what weir backup and weir move give.
type BackupView struct {
	File      string           `json:"file"`
	Kind      string           `json:"kind"` // backup or move
	Made      string           `json:"made"`
	Bytes     int64            `json:"bytes"`
	Encrypted bool             `json:"encrypted"`
	Databases []BackupDatabase `json:"databases"`
}

// BackupDatabase is one database of a backup.
type BackupDatabase struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Role    string `json:"role"`
	Found   bool   `json:"found"` // its store is in it; false: it had not been found on the DHT yet
	Entries uint64 `json:"entries"`
}

// Backup writes a backup, reads it back to its last byte, and only then gives it
// its name: a file of that name is a whole one.
func Backup(ctx context.Context, c BackupConfig) (BackupView, error) {
	v, err := writeBackup(ctx, c, backup.KindBackup, func() error { return nil })
	if err != nil {
		return v, err
	}
	if err := writeState(c.Dir.BackupFile(), BackupRecord{Made: c.Now, File: v.File}); err != nil {
		return v, fmt.Errorf("the backup was written, and that could not be noted in the directory: %w", err)
	}
	return v, nil
}

// outFile is where a file goes that is yet to be written.
func (c *BackupConfig) outFile() (string, error) {
	out, err := filepath.Abs(c.Out)
	if err != nil {
		return "", err
	}
	if _, err := os.Lstat(out); err == nil {
		return "", refused("%s is there already; nothing was written: name another file with --out", out)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("write the backup: %w", err)
	}
	if dir, err := filepath.Abs(string(c.Dir)); err == nil && strings.HasPrefix(out, dir+string(filepath.Separator)) {
		return "", refused("%s is in the directory that it would be a copy of, and is lost with it; name a file elsewhere, best on another disk", out)
	}
	return out, nil
}

// partOf is the name that a file has until it is whole.
func partOf(out string) string {
	return filepath.Join(filepath.Dir(out), "."+filepath.Base(out)+".part")
}

// writeBackup writes a file of a kind. last is called once it is whole and checked,
// before it gets its name.
func writeBackup(ctx context.Context, c BackupConfig, kind string, last func() error) (_ BackupView, err error) {
	out, err := c.outFile()
	if err != nil {
		return BackupView{}, err
	}
	g := &gathering{config: &c, from: map[string]source{}}
	defer g.remove()
	if err := g.directory(); err != nil {
		return BackupView{}, err
	}
	for _, db := range c.Databases {
		if err := g.database(db); err != nil {
			return BackupView{}, err
		}
	}
	id := make([]byte, 16)
	rand.Read(id)
	l := backup.List{ID: hex.EncodeToString(id), Kind: kind, Made: c.Now.UTC().Truncate(time.Second), Files: g.files}
	part := partOf(out)
	f, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return BackupView{}, fmt.Errorf("write the backup: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(part)
		}
	}()
	err = g.write(ctx, f, l)
	if err = errors.Join(err, f.Close()); err != nil {
		return BackupView{}, err
	}
	read, err := readBackup(ctx, part, func() (string, error) { return c.Passphrase, nil }, nil, nil)
	if err == nil && read.ID != l.ID {
		err = backup.ErrDamaged
	}
	if err != nil {
		return BackupView{}, fmt.Errorf("what was written does not read as it should, so it was removed again (%w); is the disk at fault?", err)
	}
	if err := last(); err != nil {
		return BackupView{}, err
	}
	if err := os.Rename(part, out); err != nil {
		return BackupView{}, fmt.Errorf("write the backup: %w", err)
	}
	if err := keyfile.SyncDir(filepath.Dir(out)); err != nil {
		return BackupView{}, fmt.Errorf("write the backup: %w", err)
	}
	i, err := os.Stat(out)
	if err != nil {
		return BackupView{}, fmt.Errorf("write the backup: %w", err)
	}
	return BackupView{File: out, Kind: kind, Made: viewTime(l.Made), Bytes: i.Size(), Encrypted: c.Passphrase != "", Databases: g.databases}, nil
}

// gathering collects what goes into a backup.
type gathering struct {
	config    *BackupConfig
	files     []backup.File
	from      map[string]source // by name
	rows      []string          // to be removed
	databases []BackupDatabase
}

// source is where a file's bytes come from, and what they must be.
type source struct {
	path string
	sum  *[32]byte // nil: not known
}

func (g *gathering) remove() {
	for _, r := range g.rows {
		os.Remove(r)
	}
}

func (g *gathering) add(name, path string, size int64, sum *[32]byte) {
	g.files = append(g.files, backup.File{Name: name, Size: size})
	g.from[name] = source{path, sum}
}

// directory takes the directory's own files: the key, settings, and what people
// wrote down. What a directory remembers of itself stays with it.
func (g *gathering) directory() error {
	entries, err := os.ReadDir(string(g.config.Dir))
	if err != nil {
		return fmt.Errorf("read the directory: %w", err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !backup.Fits(e.Name()) {
			continue
		}
		if err := g.small(e.Name()); err != nil {
			return err
		}
	}
	if _, ok := g.from["key"]; !ok {
		return fmt.Errorf("%w: %s has no key", ErrNotInitialised, g.config.Dir)
	}
	return nil
}

func (g *gathering) small(name string) error {
	p := filepath.Join(string(g.config.Dir), filepath.FromSlash(name))
	i, err := os.Lstat(p)
	if err != nil {
		return fmt.Errorf("read the directory: %w", err)
	}
	g.add(name, p, i.Size(), nil)
	return nil
}

func (g *gathering) database(db Database) error {
	v := BackupDatabase{ID: db.ID, Name: db.Name, Role: db.Role}
	if err := g.small("db/" + db.ID + ".json"); err != nil {
		return err
	}
	s, err := g.config.Snapshot(db)
	if Code(err) == CodeNotInitialised || errors.Is(err, store.ErrNotFound) {
		g.databases = append(g.databases, v) // not found on the DHT yet: the link is all there is
		return nil
	}
	if err != nil {
		return err
	}
	g.rows = append(g.rows, s.Rows)
	id, err := ParseID(db.ID)
	if err != nil {
		return err
	}
	dir, at := g.config.Dir.Store(id), "db/"+db.ID+"/"
	charter := filepath.Join(dir, store.CharterFile)
	i, err := os.Stat(charter)
	if err != nil {
		return fmt.Errorf("read the database: %w", err)
	}
	g.add(at+store.CharterFile, charter, i.Size(), nil)
	g.add(at+store.RowsFile, s.Rows, s.RowsBytes, nil)
	for n, v := range s.Volumes {
		g.add(at+store.VolumeFile(n), filepath.Join(dir, filepath.FromSlash(store.VolumeFile(n))), int64(v.Length), &v.SHA256)
	}
	v.Found, v.Entries = true, EntriesOf(s.Size)
	g.databases = append(g.databases, v)
	return nil
}

// write writes the file and has it on the disk.
func (g *gathering) write(ctx context.Context, f *os.File, l backup.List) error {
	buffer := bufio.NewWriterSize(f, 1<<20)
	var to io.WriteCloser = open{buffer}
	if g.config.Passphrase != "" {
		var err error
		if to, err = keyfile.Seal(buffer, g.config.Passphrase, g.config.workFactor); err != nil {
			return fmt.Errorf("write the backup: %w", err)
		}
	}
	if err := backup.Write(to, l, func(b backup.File) (io.ReadCloser, error) { return g.open(ctx, b) }); err != nil {
		return err
	}
	if err := to.Close(); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	if err := buffer.Flush(); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	return f.Sync()
}

// open is a writer in the open: closing it does nothing.
type open struct{ io.Writer }

func (open) Close() error { return nil }

func (g *gathering) open(ctx context.Context, b backup.File) (io.ReadCloser, error) {
	s := g.from[b.Name]
	f, err := os.Open(s.path)
	if err != nil {
		return nil, err
	}
	return &checked{ctx: ctx, f: f, left: b.Size, sum: sha256.New(), want: s.sum, name: path.Base(b.Name)}, nil
}

// checked reads a file's first bytes, and fails at the last of them when they are
// not what they should be: what is damaged is not taken for a copy.
type checked struct {
	ctx  context.Context
	f    *os.File
	left int64
	sum  hash.Hash
	want *[32]byte // nil: nothing is compared
	name string
}

func (c *checked) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.f.Read(p[:min(int64(len(p)), c.left)])
	c.sum.Write(p[:n])
	c.left -= int64(n)
	if c.left == 0 && c.want != nil && !slices.Equal(c.sum.Sum(nil), c.want[:]) {
		return 0, fmt.Errorf("%w: %s is not what was written; no backup was made of it. weir doctor says what can be done", store.ErrDamaged, c.name)
	}
	return n, err
}

func (c *checked) Close() error { return c.f.Close() }
