package store

// watched is a disk whose write steps are told.
type watched struct {
	Disk
	told func(at Step, after bool)
}

// Watch is a disk with told called before and after each write step, from whichever
// goroutine takes it: a test ends its process in there. Pebble's own writes are no
// steps; a batch is one.
func Watch(d Disk, told func(at Step, after bool)) Disk { return watched{d, told} }

func (w watched) files() fileSystem { return watchedFiles{w.Disk.files(), w.told} }

func (w watched) step(at Step, after bool) error {
	w.told(at, after)
	return w.Disk.step(at, after)
}

// watchedFiles are its files.
type watchedFiles struct {
	fileSystem
	told func(at Step, after bool)
}

// during tells of a step around f.
func (w watchedFiles) during(at Step, f func() error) error {
	w.told(at, false)
	defer w.told(at, true)
	return f()
}

func (w watchedFiles) open(name string) (file, error) {
	f, err := w.fileSystem.open(name)
	if err != nil {
		return nil, err
	}
	return watchedFile{f, w}, nil
}

func (w watchedFiles) create(name string) (f file, err error) {
	err = w.during(StepName, func() error { f, err = w.fileSystem.create(name); return err })
	if err != nil {
		return nil, err
	}
	return watchedFile{f, w}, nil
}

func (w watchedFiles) rename(from, to string) error {
	return w.during(StepName, func() error { return w.fileSystem.rename(from, to) })
}

func (w watchedFiles) remove(name string) error {
	return w.during(StepName, func() error { return w.fileSystem.remove(name) })
}

func (w watchedFiles) removeAll(name string) error {
	return w.during(StepName, func() error { return w.fileSystem.removeAll(name) })
}

func (w watchedFiles) syncDir(name string) error {
	return w.during(StepSync, func() error { return w.fileSystem.syncDir(name) })
}

// watchedFile is one of them.
type watchedFile struct {
	file
	of watchedFiles
}

func (f watchedFile) WriteAt(b []byte, at int64) (n int, err error) {
	err = f.of.during(StepWrite, func() error { n, err = f.file.WriteAt(b, at); return err })
	return n, err
}

func (f watchedFile) Truncate(size int64) error {
	return f.of.during(StepCut, func() error { return f.file.Truncate(size) })
}

func (f watchedFile) Sync() error { return f.of.during(StepSync, f.file.Sync) }
