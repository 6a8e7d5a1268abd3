package host

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"
)

const (
	logBytesMax  = 1 << 20 // of one file
	logFilesMax  = 4       // older ones that are kept: FILE.1 is the newest of them
	logLineBytes = 4 << 10 // of one line; the rest of a longer one is left out
)

// LogFile is a file of lines, each with its time. It grows to a bound, then older
// lines go to FILE.1 and so on; it is made again when somebody moves or deletes
// it; and a disk that takes no more stops nobody. Its methods may be called from
// any goroutine.
type LogFile struct {
	path string
	most int64
	now  func() time.Time

	mu   sync.Mutex
	file *os.File // nil: it could not be opened
	size int64
	torn bool  // the last line was not written whole
	lost int   // lines that could not be written since one was
	why  error // the last of them
}

// OpenLog opens or makes a file; it is for its owner only.
func OpenLog(path string) (*LogFile, error) {
	l := &LogFile{path: path, most: logBytesMax, now: time.Now}
	if err := l.open(); err != nil {
		return nil, fmt.Errorf("open the log file: %w", err)
	}
	return l, nil
}

// open opens the file as it is now. A device or pipe is none: it cannot be moved
// aside, and opening one may never end.
func (l *LogFile) open() error {
	if i, err := os.Stat(l.path); err == nil && !i.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file", l.path)
	}
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	i, err := f.Stat()
	if err == nil && i.Mode().Perm() != 0o600 {
		err = f.Chmod(0o600)
	}
	if err != nil {
		f.Close()
		return err
	}
	l.file, l.size, l.torn = f, i.Size(), false
	return nil
}

// Printf writes a line.
func (l *LogFile) Printf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.now().Format("2006-01-02 15:04:05")
	if err := l.write(at, oneLine(fmt.Sprintf(format, args...))); err != nil {
		l.lost, l.why = l.lost+1, err
	}
}

// oneLine makes a text a line that no terminal is moved by.
func oneLine(text string) string {
	text = strings.ToValidUTF8(text[:min(len(text), logLineBytes)], "�")
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || unicode.In(c, unicode.Zl, unicode.Zp, unicode.Bidi_Control) {
			return ' '
		}
		return c
	}, strings.TrimSpace(text))
}

func (l *LogFile) write(at, text string) error {
	if err := l.follow(); err != nil {
		return err
	}
	line := at + " " + text + "\n"
	if l.lost > 0 {
		line = fmt.Sprintf("%s %s could not be written here: %s\n", at, many(l.lost, "line", "lines"), oneLine(l.why.Error())) + line
	}
	if l.torn {
		line = "\n" + line
	}
	if l.size > 0 && l.size+int64(len(line)) > l.most {
		if err := l.rotate(); err != nil {
			return err
		}
	}
	n, err := l.file.WriteString(line)
	l.size += int64(n)
	if err != nil {
		l.torn = l.torn || n > 0
		return err
	}
	l.torn, l.lost = false, 0
	return nil
}

// follow opens the file again when it is not the one of this name any more.
func (l *LogFile) follow() error {
	if l.file != nil {
		own, err := l.file.Stat()
		named, err2 := os.Stat(l.path)
		if err == nil && err2 == nil && os.SameFile(own, named) {
			return nil
		}
		l.close()
	}
	return l.open()
}

func (l *LogFile) close() {
	l.file.Close()
	l.file = nil
}

// rotate makes room: what is here becomes FILE.1, and what was that FILE.2, and so
// on; the oldest goes.
func (l *LogFile) rotate() error {
	l.close()
	for n := logFilesMax; n > 0; n-- {
		from := l.path
		if n > 1 {
			from = fmt.Sprintf("%s.%d", l.path, n-1)
		}
		if err := os.Rename(from, fmt.Sprintf("%s.%d", l.path, n)); err != nil && !os.IsNotExist(err) {
			if n == 1 { // it cannot be moved: begin it anew rather than let it grow
				_ = os.Truncate(l.path, 0)
			}
			continue
		}
	}
	return l.open()
}

// Close ends writing.
func (l *LogFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return fs.ErrClosed
	}
	err := l.file.Close()
	l.file = nil
	return err
}
