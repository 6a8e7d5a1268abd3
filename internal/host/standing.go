package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"weir/internal/control"
	"weir/keys/keyfile"
	"weir/manager"
	"weir/member"
)

// StandingView is how things stand in one data directory.
type StandingView struct {
	Role      string             `json:"role,omitempty"` // whose default directory it is; "": one that was named
	Dir       string             `json:"dir"`
	Key       string             `json:"key,omitempty"` // locked or open; "": there is none
	Written   bool               `json:"words_written"` // its words were seen to be on paper
	Databases []StandingDatabase `json:"databases"`
	Problem   string             `json:"problem,omitempty"` // why the directory does not read
	Moved     string             `json:"moved,omitempty"`   // that it was moved away, and where to
}

// StandingDatabase is one database of a directory.
type StandingDatabase struct {
	ID          string `json:"id"`
	Name        string `json:"name,omitempty"`
	Role        string `json:"role"`
	Running     bool   `json:"running"`
	Copy        string `json:"copy_of,omitempty"` // the directory that this one is a copy of, where that is in use
	Barred      string `json:"barred,omitempty"`  // why a manager that does not run must not be started
	Problem     string `json:"problem,omitempty"`
	Joining     string `json:"joining,omitempty"` // of a member's that runs
	Members     int    `json:"members"`           // of a manager's that runs
	Invitations int    `json:"invitations_open"`  // of a manager's that runs
}

// Step is what to do next, and the command for it.
type Step struct {
	Why     string `json:"why"`
	Command string `json:"command"`
}

// standingPatience is for how long somebody who asks how things stand waits for
// what runs.
const standingPatience = 3 * time.Second

// Standing looks at a directory, and asks what runs on it. It changes nothing.
func (d Directory) Standing(ctx context.Context, role string) StandingView {
	v := StandingView{Role: role, Dir: string(d), Databases: []StandingDatabase{}, Moved: d.movedText()}
	locked, err := d.Key().Encrypted()
	switch {
	case errors.Is(err, keyfile.ErrNotFound):
	case err != nil:
		v.Problem = err.Error()
	default:
		v.Key, v.Written = "open", d.Written()
		if locked {
			v.Key = "locked"
		}
	}
	all, err := d.Databases()
	if err == nil {
		err = d.Orphan()
	}
	if err != nil {
		v.Problem = err.Error()
	}
	ctx, cancel := context.WithTimeout(ctx, standingPatience)
	defer cancel()
	for _, db := range all {
		v.Databases = append(v.Databases, d.standing(ctx, db))
	}
	return v
}

func (d Directory) standing(ctx context.Context, db Database) StandingDatabase {
	v := StandingDatabase{ID: db.ID, Name: db.Name, Role: db.Role}
	var err error
	if db.Role == RoleManager {
		var s ManagerStatusView
		err = control.Call(ctx, d.Control(db), "manager status", Request{DB: db.ID}, &s)
		v.Problem, v.Members, v.Invitations = s.Problem, s.Members, s.Invitations
	} else {
		var s MemberStatusView
		err = control.Call(ctx, d.Control(db), "member status", Request{DB: db.ID}, &s)
		v.Problem, v.Joining = strings.Join(s.Warnings, "; "), s.Joining
		if s.Name != "" {
			v.Name = s.Name
		}
	}
	var copied *control.CopyError
	if errors.As(err, &copied) {
		v.Copy = copied.Served
		return v
	}
	v.Running = !errors.Is(err, control.ErrNotRunning)
	if v.Running && err != nil {
		v.Problem = err.Error()
	}
	if !v.Running && db.Role == RoleManager {
		v.Barred = d.barred(db)
	}
	return v
}

// barred is why a manager that does not run must not be started; "" also where that
// cannot be read, which starting it says.
func (d Directory) barred(db Database) string {
	s, err := d.openStore(db)
	if err != nil {
		return ""
	}
	defer s.Close()
	why, err := (&manager.Desk{Store: s}).Barred()
	if err != nil {
		return ""
	}
	return why
}

// Line says in a line how a directory stands.
func (v StandingView) Line() string {
	var parts []string
	for _, db := range v.Databases {
		part := db.Name
		if part == "" {
			part = db.ID[:8]
		}
		part = fmt.Sprintf("%q", part)
		switch {
		case db.Copy != "":
			part += fmt.Sprintf(" is set up, and this is a copy of %s, where a weir runs: two with one key stop each other", db.Copy)
		case v.Moved != "":
			part += " was here"
		case db.Barred != "":
			part += " must not be started here: " + db.Barred
		case !db.Running:
			part += " is set up and does not run"
		case db.Problem != "":
			part += " runs, and not all is well: " + db.Problem
		case db.Role == RoleManager:
			part += fmt.Sprintf(" is managed, and runs; members: %d", db.Members)
		case db.Joining == string(member.Asking):
			part += " runs, and waits for the manager to take you in"
		default:
			part += " runs"
		}
		parts = append(parts, part)
	}
	switch {
	case v.Problem != "":
		parts = append(parts, v.Problem)
	case v.Moved != "":
		parts = append(parts, v.Moved)
	case len(parts) == 0 && v.Key != "":
		parts = append(parts, "there is a key, and no database yet")
	case len(parts) == 0:
		parts = append(parts, "nothing is set up")
	}
	return strings.Join(parts, "; ")
}

// Next is the next step for whoever has some directories: the one that is most
// urgent. Empty: nothing is set up anywhere.
func Next(all []StandingView) (Step, bool) {
	best, least := Step{}, len(urgencies)
	for _, v := range all {
		if v.Moved != "" { // what was in it is elsewhere
			v = StandingView{Role: v.Role, Dir: v.Dir, Moved: v.Moved}
		}
		for rank, urgent := range urgencies[:least] {
			if s, ok := urgent(v); ok {
				best, least = s, rank
				break
			}
		}
	}
	return best, least < len(urgencies)
}

// urgencies are what can be next in a directory, the most urgent first.
var urgencies = []func(StandingView) (Step, bool){
	func(v StandingView) (Step, bool) {
		return v.step("the data does not read", "weir %s audit", v.role()), v.Problem != ""
	},
	func(v StandingView) (Step, bool) {
		copied := slices.ContainsFunc(v.Databases, func(db StandingDatabase) bool { return db.Copy != "" })
		return v.doctor("see what to do about the copy"), copied
	},
	func(v StandingView) (Step, bool) {
		return v.each(func(db StandingDatabase) bool { return !db.Running && db.Barred == "" }, "start it", "weir %s run")
	},
	func(v StandingView) (Step, bool) {
		return v.each(func(db StandingDatabase) bool { return db.Barred != "" }, "see what to do, and do not start it", "weir %s status")
	},
	func(v StandingView) (Step, bool) {
		return v.each(func(db StandingDatabase) bool { return db.Problem != "" }, "see what is wrong", "weir %s status")
	},
	func(v StandingView) (Step, bool) {
		if v.role() == RoleManager {
			return v.step("found a database", "weir manager init"), v.Key != "" && len(v.Databases) == 0
		}
		return v.step("join a database", "weir member join"), v.Key != "" && len(v.Databases) == 0
	},
	func(v StandingView) (Step, bool) {
		s := v.step("write your key down", "weir keys words --check")
		if v.Role == RoleManager { // weir keys means the member's directory, unless it is told another
			s.Command += " --dir " + Quoted(v.Dir)
		}
		return s, v.Key != "" && !v.Written
	},
	func(v StandingView) (Step, bool) {
		return v.each(func(db StandingDatabase) bool {
			return db.Role == RoleManager && db.Members == 0 && db.Invitations == 0
		}, "invite somebody", "weir %s invite")
	},
	func(v StandingView) (Step, bool) {
		return v.each(func(db StandingDatabase) bool { return db.Joining == string(member.Asking) }, "wait, and see how far it is", "weir %s status")
	},
	func(v StandingView) (Step, bool) {
		return v.each(func(db StandingDatabase) bool { return db.Role == RoleMember }, "nothing has to be done; what you have", "weir %s balance")
	},
	func(v StandingView) (Step, bool) {
		return v.each(func(StandingDatabase) bool { return true }, "nothing has to be done; how it goes", "weir %s status")
	},
	func(v StandingView) (Step, bool) {
		return v.doctor("go on where the file was restored; if it never was and never will be, see how to go on here"), v.Moved != ""
	},
}

// role is what a directory is used for.
func (v StandingView) role() string {
	if v.Role == "" && len(v.Databases) > 0 {
		return v.Databases[0].Role
	}
	if v.Role == "" {
		return RoleMember
	}
	return v.Role
}

// step is a command for this directory.
func (v StandingView) step(why, command string, args ...any) Step {
	s := Step{Why: why, Command: fmt.Sprintf(command, args...)}
	if v.Role == "" && os.Getenv("WEIR_DIR") == "" {
		s.Command += " --dir " + Quoted(v.Dir)
	}
	return s
}

// doctor is weir doctor for this directory.
func (v StandingView) doctor(why string) Step {
	return Step{Why: why, Command: "weir doctor --dir " + Quoted(v.Dir)}
}

// each is the step for the first database of which something is so.
func (v StandingView) each(so func(StandingDatabase) bool, why, command string) (Step, bool) {
	ofRole := map[string]int{}
	for _, db := range v.Databases {
		ofRole[db.Role]++
	}
	for _, db := range v.Databases {
		if !so(db) {
			continue
		}
		s := v.step(why, command, db.Role)
		if v.Role != "" && v.Role != db.Role {
			s.Command += " --dir " + Quoted(v.Dir)
		}
		if ofRole[db.Role] > 1 && !strings.HasSuffix(command, "member run") {
			s.Command += " --db " + db.ID[:8]
		}
		return s, true
	}
	return Step{}, false
}

// Quoted is a word as a shell takes it.
func Quoted(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:@%,") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
