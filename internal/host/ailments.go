package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"weir/configs"
	"weir/internal/control"
	"weir/keys/keyfile"
	"weir/ledger/store"
)

// ofDirectory is what can be wrong with a directory as a whole, in the order in which
// it is looked for.
func ofDirectory() []ailment {
	return []ailment{{
		name: "settings_unread", look: settingsUnread,
		means:  "nothing starts here before the settings read, so that nothing runs otherwise than somebody wanted",
		remedy: "correct weir.toml, or move it away: without it everything has its usual value",
	}, {
		name: "record_unread", look: func(p *patient) (string, error) { return saying(second(p.dir.Databases())) },
		means:  "the small file that says how a database was joined or founded was damaged",
		remedy: "put it back from a backup (weir restore FILE --dir NEW), or make the directory anew from the 24 words",
	}, {
		name: "record_missing", look: func(p *patient) (string, error) { return saying(p.dir.Orphan()) },
		means:  "there is a database of which nobody knows any more whose it is",
		remedy: "put the file back from a backup (weir restore FILE --dir NEW), or move the database away and join anew",
	}, {
		name: "key_missing", look: keyMissing,
		means:  "without its key nothing can be signed here; what was acknowledged is safe in the log",
		remedy: "make the key again from its 24 words: weir keys recover, with --replace where key.pub is still there; or restore a backup",
	}, {
		name: "key_open_to_others", look: openToOthers, fix: closeToOthers,
		means:  "other users of this computer can read your key or your directory",
		remedy: "take the permissions of others away",
	}, {
		name: "moved", look: moved, fix: func(p *patient) error { return p.dir.Unmove() },
		means:  "the directory goes on only where that file is restored, so that one key does not live on two devices",
		remedy: "if the file was never used and never will be, make this directory usable again, and throw the file away",
		asks:   "Was the file never restored anywhere, and will you throw it away now? Then this directory goes on",
	}, {
		name: "copy_in_use", look: copyInUse,
		means:  "two devices with one key stop each other as soon as both sign something",
		remedy: "use the other one, or end it for good and then give weir doctor --fix here once more: it asks, and this directory goes on",
	}, {
		name: "copied", look: copied, fix: settleHere,
		means:  "two devices with one key stop each other as soon as both sign something",
		remedy: "switch one of them off for good, and say here that this is the one",
		asks:   "Is the other one not used any more, and never will be? Then this is the place of this directory from now on",
	}, {
		name: "left_over", look: leftOver, fix: removeLeft, note: true,
		means:  "a crash left files that nobody uses",
		remedy: "remove them",
	}, {
		name: "disk_full", look: diskFull,
		means:  "once less than 64 MB are free nothing more is written; nothing is lost by that, and it goes on by itself when there is room",
		remedy: "make room on this disk",
	}, {
		name: "no_backup", look: func(p *patient) (string, error) { return p.dir.BackupHint(p.now) }, note: true,
		means:  "if this disk dies, only the 24 words are left, and what was signed since",
		remedy: "weir backup --out FILE, on another disk",
	}}
}

// saying makes an error what was found.
func saying(err error) (string, error) {
	if err != nil {
		return Text(err), nil
	}
	return "", nil
}

func second[T any](_ T, err error) error { return err }

func settingsUnread(p *patient) (string, error) {
	return saying(second(configs.Read(filepath.Join(string(p.dir), "weir.toml"), false)))
}

func keyMissing(p *patient) (string, error) {
	key := p.dir.Key()
	if _, err := key.Encrypted(); errors.Is(err, keyfile.ErrNotFound) {
		return "there is no key in " + string(p.dir), nil
	} else if err != nil {
		return Text(err), nil
	}
	if err := second(key.Public()); err != nil && !errors.Is(err, fs.ErrNotExist) { // opening the key writes it anew
		return Text(err), nil
	}
	return "", nil
}

// private are the paths of a directory that nobody else may read.
func (p *patient) private() []string { return []string{string(p.dir), p.dir.Key().Path} }

func openToOthers(p *patient) (string, error) {
	if runtime.GOOS == "windows" {
		return "", nil // permissions are another thing there
	}
	for _, path := range p.private() {
		if i, err := os.Stat(path); err == nil && i.Mode().Perm()&0o077 != 0 {
			return fmt.Sprintf("%s is open to other users of this computer (mode %o)", path, i.Mode().Perm()), nil
		}
	}
	return "", nil
}

func closeToOthers(p *patient) error {
	for _, path := range p.private() {
		i, err := os.Stat(path)
		if err != nil {
			continue
		}
		if err := os.Chmod(path, i.Mode().Perm()&^0o077); err != nil {
			return err
		}
	}
	return nil
}

func moved(p *patient) (string, error) {
	r, yes, err := p.dir.Moved()
	if err != nil || !yes {
		return "", err
	}
	if r.File == "" {
		return "somebody began to move this directory away, and to where does not read", nil
	}
	return fmt.Sprintf("this directory was moved away on %s, to %s", r.Begun.Local().Format("2006-01-02 15:04"), r.File), nil
}

// copyInUse says that what this directory is a copy of is in use.
func copyInUse(p *patient) (string, error) {
	c, err := p.dir.CopyInUse(p.ctx)
	if c == nil {
		return "", err
	}
	return fmt.Sprintf("this directory is a copy of %s, which is in use: a weir runs there", c.Served), nil
}

func copied(p *patient) (string, error) {
	if c, err := p.dir.CopyInUse(p.ctx); c != nil || err != nil {
		return "", err // another ailment's
	}
	return p.dir.Elsewhere()
}

func settleHere(p *patient) error {
	at, err := filepath.Abs(string(p.dir))
	if err != nil {
		return err
	}
	return p.dir.settle(at)
}

// left is files that a crash left: sockets that nobody answers on, and parts of
// backups that are older than any backup takes.
func (p *patient) left() ([]string, error) {
	places, err := p.dir.controls()
	if err != nil {
		return nil, err
	}
	var all []string
	for _, place := range places {
		if err := control.Call(p.ctx, place, "doctor", nil, nil); errors.Is(err, control.ErrNotRunning) {
			all = append(all, place)
		}
	}
	rows, err := filepath.Glob(filepath.Join(string(p.dir), snapshotPattern))
	for _, r := range rows {
		if i, err := os.Stat(r); err == nil && p.now.Sub(i.ModTime()) > 24*time.Hour {
			all = append(all, r)
		}
	}
	return all, err
}

func leftOver(p *patient) (string, error) {
	all, err := p.left()
	if err != nil || len(all) == 0 {
		return "", err
	}
	return "left by a crash: " + strings.Join(all, ", "), nil
}

func removeLeft(p *patient) error {
	all, err := p.left()
	for _, f := range all {
		err = errors.Join(err, os.Remove(f))
		if sock := f + ".sock"; strings.HasPrefix(filepath.Base(f), "control") {
			if e := os.Remove(sock); !errors.Is(e, fs.ErrNotExist) {
				err = errors.Join(err, e)
			}
		}
	}
	return err
}

// roomKept is less than which a disk is nearly full: four times what stores keep free.
const roomKept = 256 << 20

func diskFull(p *patient) (string, error) {
	if free, err := store.Free(string(p.dir)); err == nil && free < roomKept {
		return fmt.Sprintf("the disk of %s is nearly full: %d MB are free", p.dir, free>>20), nil
	}
	return "", nil // whoever cannot tell does not frighten anybody
}
