package store

import (
	"errors"
	"io/fs"
	"path"
	"strings"
)

// modelFiles implements fileSystem on a Crashable.
type modelFiles struct{ *Crashable }

func (d modelFiles) open(name string) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.crashed != nil {
		return nil, d.crashed
	}
	m := d.names[name]
	if m == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &modelFile{d.Crashable, m}, nil
}

func (d modelFiles) create(name string) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if m := d.names[name]; m != nil && d.crashed == nil {
		return &modelFile{d.Crashable, m}, nil
	}
	if !d.dirs[path.Dir(name)] {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrNotExist}
	}
	m := &model{}
	err := d.named(naming{dir: path.Dir(name), to: name, file: m})
	return &modelFile{d.Crashable, m}, err
}

func (d modelFiles) rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.names[from]
	if m == nil {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	return d.named(naming{dir: path.Dir(to), from: from, to: to, file: m})
}

func (d modelFiles) remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.names[name] == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	return d.named(naming{dir: path.Dir(name), from: name})
}

// named is one write step of kind StepName. It needs mu.
func (d modelFiles) named(n naming) error {
	if err := d.stepped(StepName, false); err != nil {
		return err
	}
	d.note(n)
	return d.stepped(StepName, true)
}

func (d modelFiles) removeAll(name string) error {
	names, err := d.list(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, n := range names {
		if err := d.remove(path.Join(name, n)); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.dirs, name)
	if err := d.mem.RemoveAll("/" + name); err != nil {
		return err
	}
	root, err := d.mem.OpenDir("/")
	if err != nil {
		return err
	}
	return errors.Join(root.Sync(), root.Close())
}

func (d modelFiles) list(dir string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.crashed != nil {
		return nil, d.crashed
	}
	if !d.dirs[dir] {
		return nil, &fs.PathError{Op: "list", Path: dir, Err: fs.ErrNotExist}
	}
	var names []string
	for _, name := range sortedNames(d.names) {
		if path.Dir(name) == dir && !strings.HasPrefix(path.Base(name), ".") {
			names = append(names, path.Base(name))
		}
	}
	return names, nil
}

// mkdir makes a directory at once durable: that one is there after a crash
// without files in it tells a store nothing.
func (d modelFiles) mkdir(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.crashed != nil {
		return d.crashed
	}
	d.dirs[name] = true
	return nil
}

func (d modelFiles) syncDir(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.stepped(StepSync, false); err != nil {
		return err
	}
	if err := d.injected(0); err != nil {
		return err
	}
	d.settle(dir)
	return d.stepped(StepSync, true)
}

func (d modelFiles) free() (uint64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.space < 0 {
		return 1 << 40, nil
	}
	return uint64(max(d.space-d.used, 0)), nil
}
