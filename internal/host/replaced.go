package host

import (
	"fmt"
	"time"

	"weir/member"
)

// ReplacedView is a succession that a member follows.
type ReplacedView struct {
	Succession uint64 `json:"succession"`        // its number
	Entry      uint64 `json:"entry"`             // the last one that counts of what the key of before signed
	Void       uint64 `json:"void"`              // entries that were here and became void
	Awaited    bool   `json:"awaited,omitempty"` // nothing of the new key's log is here yet
}

func viewReplaced(s member.Status) *ReplacedView {
	if s.Succession.Number == 0 {
		return nil
	}
	return &ReplacedView{Succession: s.Succession.Number, Entry: EntriesOf(s.Succession.Size), Void: s.Succession.Void, Awaited: s.Awaited}
}

// UntakenView is a change that DHT nodes have and that the manager has not taken for
// much longer than is usual.
type UntakenView struct {
	Number uint64 `json:"number"`
	Since  string `json:"since"`
	Heard  bool   `json:"manager_heard"` // the manager has published since then
}

func viewUntaken(u *member.Untaken) *UntakenView {
	if u == nil {
		return nil
	}
	return &UntakenView{Number: u.Number, Since: viewTime(u.Since), Heard: u.Heard}
}

// text says it for people.
func (u *UntakenView) text(now time.Time) string {
	waited, _ := since(now, u.Since)
	waited = waited.Round(time.Second)
	if u.Heard {
		return fmt.Sprintf("change %d has been on the DHT for %s, longer than is usual, and the manager has published since without it", u.Number, waited)
	}
	return fmt.Sprintf("change %d has been on the DHT for %s, longer than is usual, and the manager has published nothing since: it may be away", u.Number, waited)
}

const untakenRemedy = "Nothing is lost; it is taken when the manager sees it. weir looks by itself whether the manager's key was replaced. If it stays so, ask the manager"
