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
	"weir/member"
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
		covers: []string{"not_running"},
	}, {
		name: "key_open_to_others", look: openToOthers, fix: closeToOthers,
		means:  "other users of this computer can read your key or your directory",
		remedy: "take the permissions of others away",
	}, {
		name: "moved", look: moved, fix: unmove, covers: []string{"not_running"},
		means:  "the directory goes on only where that file is restored, so that one key does not live on two devices",
		remedy: "if the file was never used and never will be, make this directory usable again, and throw the file away",
		asks:   "Was the file never restored anywhere, and will you throw it away now? Then this directory goes on",
	}, {
		name: "copy_in_use", look: copyInUse, covers: []string{"not_running"},
		means:  "two devices with one key stop each other as soon as both sign something",
		remedy: "use the other one, or end it for good and then give weir doctor --fix here once more: it asks, and this directory goes on",
	}, {
		name: "copied", look: copied, fix: settleHere,
		means:  "two devices with one key stop each other as soon as both sign something",
		remedy: "switch the other one off for good, and say so here: this one takes over, with what the network has by then",
		asks:   "Is the other one switched off, and will never be used again? Then this directory goes on in its place",
		covers: []string{"not_running"},
	}, {
		name: "left_over", look: leftOver, fix: removeLeft, note: true,
		means:  "a crash left files that nobody uses",
		remedy: "remove them",
	}, {
		name: "disk_full", look: diskFull,
		means:  "once less than 64 MB are free nothing more is written; nothing is lost by that, and it goes on by itself when there is room",
		remedy: "make room on this disk",
		covers: []string{"disk"},
	}, {
		name: "no_backup", look: func(p *patient) (string, error) { return p.dir.BackupHint(p.now) }, note: true,
		means:  "if this disk dies, the 24 words on paper bring back the key, and with it what is published; lost for good are the settings, your own notes, open invitations, and what was signed here and not handed over yet",
		remedy: "make one, on another disk",
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

func closeToOthers(p *patient) (string, error) {
	for _, path := range p.private() {
		i, err := os.Stat(path)
		if err != nil {
			continue
		}
		if err := os.Chmod(path, i.Mode().Perm()&^0o077); err != nil {
			return "", err
		}
	}
	return "only you can open " + string(p.dir) + " and its key now", nil
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

func unmove(p *patient) (string, error) {
	return "the lock was taken off: this directory goes on, and the file it was moved to must not be used", p.dir.Unmove()
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

// settleHere has a copy go on in the place of the other one. Accounts are taken over
// first: interrupted, it is still a copy.
func settleHere(p *patient) (string, error) {
	at, err := filepath.Abs(string(p.dir))
	if err != nil {
		return "", err
	}
	dbs, err := p.dir.Databases()
	if err != nil {
		return "", err
	}
	done := "this is the place of the directory from now on"
	for _, db := range dbs {
		said, err := p.takeOverIn(db)
		if err != nil {
			return "", err
		}
		done += said
	}
	return done, p.dir.settle(at)
}

// takeOverIn has a copy take the account over in a database, and says so.
func (p *patient) takeOverIn(db Database) (string, error) {
	if db.Role != RoleMember {
		return "", nil // a manager compares itself with the network at each start
	}
	s, err := p.dir.openStore(db)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return "", nil
	case errors.Is(err, store.ErrLocked):
		return "; weir runs on " + db.text() + ", so take the account over there by weir member takeover", nil
	case err != nil:
		return "", nil // another ailment's
	}
	public, err := p.dir.Key().Public()
	if err == nil {
		d := &member.Desk{Store: s, Public: public, Now: func() time.Time { return p.now }}
		if _, err = d.Account(); errors.Is(err, member.ErrNotAdmitted) || errors.Is(err, member.ErrReplaced) {
			return "", s.Close() // there is nothing to take over
		}
		if err == nil {
			err = d.WillTakeOver()
		}
	}
	if err = errors.Join(err, s.Close()); err != nil {
		return "", err
	}
	return "; it takes the account in " + db.text() + " over" + takesOver, nil
}

const takesOver = ": weir member run first looks what the network has under your key, and goes on with that and the log; what contradicts them is given up"

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

func removeLeft(p *patient) (string, error) {
	all, err := p.left()
	for _, f := range all {
		err = errors.Join(err, os.Remove(f))
		if sock := f + ".sock"; strings.HasPrefix(filepath.Base(f), "control") {
			if e := os.Remove(sock); !errors.Is(e, fs.ErrNotExist) {
				err = errors.Join(err, e)
			}
		}
	}
	return "removed: " + strings.Join(all, ", "), err
}

// roomKept is less than which a disk is nearly full: four times what stores keep free.
const roomKept = 256 << 20

func diskFull(p *patient) (string, error) {
	if free, err := store.Free(string(p.dir)); err == nil && free < roomKept {
		return fmt.Sprintf("the disk of %s is nearly full: %d MB are free", p.dir, free>>20), nil
	}
	return "", nil // whoever cannot tell does not frighten anybody
}
