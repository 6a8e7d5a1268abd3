package member

import (
	"fmt"
	"time"

	"weir/ledger/wire"
)

// Phase is where a Follower stands.
type Phase string

const (
	Seeking  Phase = "seeking"  // the charter or a first head has not been found yet
	Fetching Phase = "fetching" // behind the newest head
	Current  Phase = "current"  // the log here is the newest head's
	Stopped  Phase = "stopped"  // two histories under one key: following has ended
	Offline  Phase = "offline"  // of a Desk: nobody follows
)

// Status is a Follower in figures and plain words.
type Status struct {
	Phase   Phase
	ID      wire.ID
	Name    string // of the database; "" before the charter is here
	Reason  string // why it stopped
	Problem string // what kept the last attempt from its work; "" when nothing did

	Checked  time.Time // when a DHT node last answered; zero: never
	Answered int       // nodes that answered the last look-up
	Holding  int       // of the nodes closest to the head, how many held the newest at the last traversal

	Head   time.Time     // of the newest head by its signer's clock; zero: none yet
	Age    time.Duration // of it
	Stale  bool          // older than the charter allows
	Cycle  uint64        // of it
	Newest uint64        // log size it promises
	Size   uint64        // log size here, verified
	Root   wire.Hash
	Length uint64 // stream bytes here
	Got    int64  // bytes fetched since the start, chunks and torrents
	Source string // what is being fetched, or was last
	// Torrents is from how many torrents entries came, since the start.
	Torrents int
	Serving  int      // torrents served
	Dropped  []string // sources that did not verify, with the reason

	Succession SuccessionStatus // number 0: the manager has the keys of the charter
	Awaited    bool             // the successor is followed, and the log here has nothing of it yet
}

// Warning is something that a person should know about.
type Warning struct {
	Code string // a stable snake_case word
	Text string // plain words
}

// The codes of warnings.
const (
	WarnStopped     = "stopped"
	WarnBehind      = "behind"
	WarnStale       = "head_stale"
	WarnDropped     = "sources_dropped"
	WarnTaken       = "invitation_taken"
	WarnExpired     = "invitation_expired"
	WarnOtherDevice = "other_device"
	WarnRestored    = "restored"
	WarnHandOver    = "hand_over"
	WarnVoid        = "changes_void"
	WarnVoidRefused = "changes_void_refused"
	WarnVoidLost    = "changes_void_lost"
	WarnUnkeyed     = "account_void"
	WarnSuspended   = "suspended"
)

// warnings is a list that is put together.
type warnings []Warning

// add adds a text, if there is one.
func (w *warnings) add(code, text string) {
	if text != "" {
		*w = append(*w, Warning{code, text})
	}
}

// texts is what they say.
func (w warnings) texts() []string {
	var all []string
	for _, one := range w {
		all = append(all, one.Text)
	}
	return all
}

func (s Status) warned() (w warnings) {
	w.add(WarnStopped, s.Reason)
	w.add(WarnBehind, s.Problem)
	if s.Stale && s.Phase != Offline { // nobody looked
		w.add(WarnStale, fmt.Sprintf("the newest head is %s old: the manager may be away, or somebody withholds newer ones", s.Age.Round(time.Second)))
	}
	for _, d := range s.Dropped {
		w.add(WarnDropped, d)
	}
	return w
}

// Warnings is what a person should know about, in plain words.
func (s Status) Warnings() []string { return s.warned().texts() }

// Joining is where the answer to an invitation stands.
type Joining string

const (
	NotJoining Joining = ""        // no invitation is being answered
	Asking     Joining = "asking"  // the request waits for the manager
	Admitted   Joining = "member"  // the log has an account for this key
	Taken      Joining = "taken"   // somebody else answered this invitation first
	Lapsed     Joining = "expired" // it expired before the manager took the request
)

// Account is the own account's part of a MemberStatus.
type Account struct {
	Number    uint64
	Name      string
	Balance   int64 // minor units
	Limits    wire.Limits
	Suspended bool
	Last      uint64 // number of the newest entry
}

// MemberStatus is a Member in figures and plain words.
type MemberStatus struct {
	Status
	Joining  Joining
	Request  int      // nodes that acknowledged the request to join
	Approval bool     // the charter wants the manager's approval of who joins
	Account  *Account // nil: not admitted
	Foreign  string   // why nothing is handed over any more: another device uses this key
	// Restored says why nothing is signed yet: the directory was restored.
	Restored string

	Waiting int       // changes that are not in the log
	Handed  uint64    // highest number ever handed to a put
	Seq     int64     // of the newest outbox item
	Nodes   int       // that acknowledged it; 0: none yet
	Asked   int       // nodes it was put to
	Put     time.Time // when it was last acknowledged
	Trouble string    // what kept the last hand-over from its work
	Untaken *Untaken  // the change that the manager has not taken for long; nil: none

	Void        []uint64 // changes that only void entries had answered, or that had seen one, and that wait
	VoidRefused []uint64 // those that were lately refused as of an unknown history
	VoidLost    []uint64 // changes that were lately given up: they follow void ones of another key
	Unkeyed     string   // why this key has no account any more; "": it has, or never had one
}

// Warnings is what a person should know about, in plain words.
func (s MemberStatus) Warnings() []string { return warnings(s.Warned()).texts() }

// Warned is the same with what each is about.
func (s MemberStatus) Warned() []Warning {
	w := s.Status.warned()
	switch s.Joining {
	case Taken:
		w.add(WarnTaken, "somebody else used this invitation: ask the manager for a new one, and tell them. If that was you, on another device, go on there: an invitation makes one account, for one key")
	case Lapsed:
		lapsed := "the invitation expired before the manager took the request: ask for a new one"
		if s.Approval {
			lapsed = "the invitation has expired. If the manager had the request by then, it still waits for the manager's approval: ask the manager; otherwise ask for a new invitation"
		}
		w.add(WarnExpired, lapsed)
	}
	w.add(WarnOtherDevice, s.Foreign)
	w.add(WarnRestored, s.Restored)
	w.add(WarnHandOver, s.Trouble)
	if len(s.Void) > 0 {
		w.add(WarnVoid, fmt.Sprintf("the manager's key was replaced, and entries that had answered changes of yours are void: %s went back to the manager (weir member show NUMBER says more)", numbersOf(s.Void)))
	}
	if len(s.VoidRefused) > 0 {
		w.add(WarnVoidRefused, fmt.Sprintf("changes of yours were signed in view of entries that are void since the manager's key was replaced, and are refused: %s; sign them again if they are still meant (weir member show NUMBER)", numbersOf(s.VoidRefused)))
	}
	if len(s.VoidLost) > 0 {
		w.add(WarnVoidLost, fmt.Sprintf("changes of yours followed entries that are void since the manager's key was replaced, and are lost: %s; sign them again if they are still meant", numbersOf(s.VoidLost)))
	}
	w.add(WarnUnkeyed, s.Unkeyed)
	if s.Account != nil && s.Account.Suspended {
		w.add(WarnSuspended, "this account is suspended: its changes are refused until the manager resumes it")
	}
	return w
}

// entriesOf is how many entries a log of some size has: its first leaf is the
// charter.
func entriesOf(size uint64) uint64 { return max(size, 1) - 1 }
