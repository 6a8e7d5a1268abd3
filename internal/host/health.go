package host

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"weir/ledger/store"
	"weir/manager"
	"weir/member"
)

// Problem is something that is not well: what, and what to do.
type Problem struct {
	Code   string `json:"code"` // a stable snake_case word
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"` // none where Text says it
}

// HealthView is what both roles' status says of how things stand here.
type HealthView struct {
	OK       bool         `json:"ok"`
	Problems []Problem    `json:"problems"` // the most important first
	Up       int64        `json:"up_seconds,omitempty"`
	Every    int64        `json:"every_seconds,omitempty"` // from one cycle or look to the next
	Reach    string       `json:"reach,omitempty"`         // can others reach this machine: yes, no, unknown
	Metered  bool         `json:"metered,omitempty"`
	Damage   string       `json:"damage,omitempty"` // of what is stored
	Disk     *DiskView    `json:"disk,omitempty"`
	Traffic  *TrafficView `json:"traffic,omitempty"`
	Clock    *ClockView   `json:"clock,omitempty"`
	Backup   string       `json:"backup,omitempty"` // when the newest was made; none: there has never been one
	Written  bool         `json:"words_written"`    // the key's words were seen to be on paper
}

// ClockView compares this machine's clock with what does not depend on it.
type ClockView struct {
	Leapt  int64 `json:"leapt_seconds"`  // against the monotonic clock, since the start
	Behind int64 `json:"behind_seconds"` // the newest head was signed so much later than it is here
}

// condition is one thing that may not be well, and what it says then.
type condition[V any] struct {
	code string
	says func(v *V, now time.Time) (text, remedy string) // "": it is well
}

// judge gives what is not well, in the order of the conditions.
func judge[V any](conditions []condition[V], v *V, now time.Time) []Problem {
	problems := []Problem{}
	for _, c := range conditions {
		if text, remedy := c.says(v, now); text != "" {
			problems = append(problems, Problem{Code: c.code, Text: text, Remedy: remedy})
		}
	}
	return problems
}

// since is how long ago a view's time was; false: it has none.
func since(now time.Time, text string) (time.Duration, bool) {
	t, err := time.Parse(time.RFC3339, text)
	return now.Sub(t), err == nil
}

const (
	freeMin       = 256 << 20        // bytes of a disk below which it will soon be full
	clockSlack    = 2 * time.Minute  // that a clock may be wrong
	putSlack      = 5 * time.Minute  // that a head may take to be acknowledged
	lateSlack     = 5 * time.Minute  // that a cycle may be late
	startSlack    = 20 * time.Second // after a start, until a DHT node has answered
	reachPatience = time.Hour        // after which others should have reached this machine
)

func (v *HealthView) room(now time.Time) (text, remedy string) {
	switch {
	case v.Disk == nil:
	case v.Disk.Free < store.SpaceKept:
		return fmt.Sprintf("the disk is full: %s are left, and no more is written to it", Bytes(v.Disk.Free)), "Make room. Nothing is lost: what was written stays, and weir goes on by itself once there is some"
	case v.Disk.Free < freeMin:
		return fmt.Sprintf("the disk is nearly full: %s are left", Bytes(v.Disk.Free)), "Make room; weir keeps what it has, and goes on by itself once there is some"
	case v.Disk.reached():
		return fmt.Sprintf("the limit of the disk is reached: %s of %s are used, so that torrents are not fetched any more", Bytes(uint64(v.Disk.Used)), Bytes(uint64(v.Disk.Limit))),
			"Raise --disk-limit, or disk_limit in weir.toml"
	}
	return "", ""
}

// unkept is a problem in plain words where it is the disk's; "": room says it.
func (v *HealthView) unkept(problem string) (text, remedy string) {
	switch {
	case !ofDisk(problem):
		return problem, ""
	case v.Disk != nil && v.Disk.Free < store.SpaceKept:
		return "", ""
	}
	return "what is new could not be kept here, since the disk was full", "It is tried again by itself"
}

func (v *HealthView) spent(now time.Time) (text, remedy string) {
	t := v.Traffic
	if t == nil || !t.Reached {
		return "", ""
	}
	next := now.AddDate(0, 0, 1)
	if t.Per == "month" {
		next = time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, now.Location())
	}
	return fmt.Sprintf("the traffic limit of %s a %s is reached: nothing is served to others, and torrents are not fetched", Bytes(uint64(t.Limit)), t.Per),
		"It goes on by itself on " + next.Format(time.DateOnly) + "; or raise --traffic-limit. Payments are still handed over"
}

func (v *HealthView) clock(now time.Time) (text, remedy string) {
	c, slack := v.Clock, int64(clockSlack/time.Second)
	const right = "Set the clock of this machine right, best by letting it do so from the internet"
	switch {
	case c == nil:
	case c.Leapt > slack || c.Leapt < -slack:
		return fmt.Sprintf("this machine's clock was changed by %s while weir ran", time.Duration(max(c.Leapt, -c.Leapt))*time.Second), "If it is right now, start weir again; else set it right"
	case c.Behind > slack:
		return fmt.Sprintf("this machine's clock is %s behind the newest head's: it, or the manager's, is wrong", time.Duration(c.Behind)*time.Second), right
	}
	return "", ""
}

// managerConditions is everything that may not be well with a manager, the most
// important first.
var managerConditions = []condition[ManagerStatusView]{
	{"moved", func(v *ManagerStatusView, _ time.Time) (string, string) { return v.Moved, "" }},
	{"stopped", func(v *ManagerStatusView, _ time.Time) (string, string) {
		if v.Phase == string(manager.Stopped) {
			return v.Problem, ""
		}
		return "", ""
	}},
	{"refusing", func(v *ManagerStatusView, _ time.Time) (string, string) {
		if v.Phase == string(manager.Refusing) {
			return v.Problem, ""
		}
		return "", ""
	}},
	{"damaged", func(v *ManagerStatusView, _ time.Time) (string, string) {
		if v.Damage == "" {
			return "", ""
		}
		return v.Damage, "weir manager audit says what else is"
	}},
	{"held", func(v *ManagerStatusView, _ time.Time) (string, string) {
		if v.Phase == string(manager.Held) {
			return v.Problem, ""
		}
		return "", ""
	}},
	{"not_running", func(v *ManagerStatusView, _ time.Time) (string, string) {
		if v.Running || v.Moved != "" || v.barred() {
			return "", "" // it must not be started
		}
		return fmt.Sprintf("the manager of %q does not run", v.Name), "Start it with weir manager run"
	}},
	{"no_dht", func(v *ManagerStatusView, _ time.Time) (string, string) {
		if v.lonely() {
			return "no DHT node answers, so that nobody hears of this manager", "Check the network connection and --bootstrap; it goes on by itself"
		}
		return "", ""
	}},
	{"cycle", func(v *ManagerStatusView, _ time.Time) (string, string) {
		if v.Running && v.Phase == string(manager.Running) && v.Cycle != nil && !v.lonely() {
			return v.Cycle.Problem, ""
		}
		return "", ""
	}},
	{"late", func(v *ManagerStatusView, now time.Time) (string, string) {
		if v.Cycle == nil || !v.Running {
			return "", ""
		}
		ago, ok := since(now, v.Cycle.Started)
		if !ok || ago < 3*time.Duration(v.Every)*time.Second+lateSlack {
			return "", ""
		}
		return fmt.Sprintf("the last cycle began %s ago", ago.Round(time.Minute)), "Look whether this machine was asleep or is overloaded; else start the manager again"
	}},
	{"disk", func(v *ManagerStatusView, now time.Time) (string, string) { return v.room(now) }},
	{"traffic", func(v *ManagerStatusView, now time.Time) (string, string) { return v.spent(now) }},
	{"keys_short", func(v *ManagerStatusView, _ time.Time) (string, string) {
		if c := v.Cycle; v.Running && c != nil && c.Polled > 0 && 2*c.Short > c.Polled && !v.lonely() {
			return fmt.Sprintf("in the last cycle no DHT node answered for %d of %d members", c.Short, c.Polled), "Nothing is lost, what they sent is taken later. If it stays so, check the network connection"
		}
		return "", ""
	}},
	{"outboxes_stall", func(v *ManagerStatusView, _ time.Time) (string, string) {
		if n := len(v.Stalled); n > 0 {
			return many(n, "outbox stalls", "outboxes stall") + ": " + stalled(v.Stalled), "Tell whose that is. The others are not held up"
		}
		return "", ""
	}},
	{"head_unacknowledged", func(v *ManagerStatusView, now time.Time) (string, string) {
		if ago, ok := since(now, v.HeadTime); ok && v.Running && !v.HeadPut && ago > putSlack {
			return fmt.Sprintf("what was published %s ago has reached no DHT node", ago.Round(time.Minute)), "Check the network connection; it is tried again and again"
		}
		return "", ""
	}},
	{"clock", func(v *ManagerStatusView, now time.Time) (string, string) { return v.clock(now) }},
	{"starting", func(v *ManagerStatusView, _ time.Time) (string, string) {
		if v.Running && v.Phase == string(manager.Starting) {
			return "the first poll is under way, and nothing is published before it has ended", "Wait a moment"
		}
		return "", ""
	}},
}

// barred says whether the manager publishes nothing, whoever starts it.
func (v *ManagerStatusView) barred() bool {
	return v.Phase == string(manager.Stopped) || v.Phase == string(manager.Refusing)
}

// stalled names members whose outboxes stall, a few of them with the reason.
func stalled(members []MemberView) string {
	const most = 3
	var texts []string
	for i, m := range members {
		if i == most {
			texts = append(texts, fmt.Sprintf("and %d more, which weir manager status lists", len(members)-most))
			break
		}
		texts = append(texts, fmt.Sprintf("%d %s: %s", m.Account, m.Name, m.Problem))
	}
	return strings.Join(texts, "; ")
}

func (v *ManagerStatusView) lonely() bool {
	return v.Running && v.Nodes == 0 && v.Up >= int64(startSlack/time.Second)
}

// judge says what is not well with a manager.
func (v *ManagerStatusView) judge(now time.Time) {
	v.Problems = judge(managerConditions, v, now)
	v.OK = len(v.Problems) == 0
}

// memberConditions is everything that may not be well with a member, the most
// important first.
var memberConditions = []condition[MemberStatusView]{
	{"stopped", func(v *MemberStatusView, _ time.Time) (string, string) {
		if v.Reason == "" {
			return "", ""
		}
		return v.Reason, "Nothing more of this database is believed here. weir member evidence prints what others should see"
	}},
	{"other_device", func(v *MemberStatusView, _ time.Time) (string, string) { return v.Other, "" }},
	{"damaged", func(v *MemberStatusView, _ time.Time) (string, string) {
		if v.Damage == "" {
			return "", ""
		}
		return v.Damage, "weir member audit says what else is"
	}},
	{"invitation_taken", func(v *MemberStatusView, _ time.Time) (string, string) {
		if v.Joining == "taken" {
			return "somebody else used this invitation", "Ask the manager for a new one, and tell them"
		}
		return "", ""
	}},
	{"invitation_expired", func(v *MemberStatusView, _ time.Time) (string, string) {
		if v.Joining == "expired" && v.Approval {
			return "the invitation has expired, and the manager has not admitted you", "Ask the manager: a request that came in time still waits for approval, unless it was rejected, and nothing tells this program of that"
		}
		if v.Joining == "expired" {
			return "the invitation expired before the manager took the request: ask for a new one", ""
		}
		return "", ""
	}},
	{"unanswered", func(v *MemberStatusView, _ time.Time) (string, string) { return v.Ignored, "" }},
	{"suspended", func(v *MemberStatusView, _ time.Time) (string, string) {
		if v.Account != nil && v.Account.Suspended {
			return "this account is suspended: its changes are refused until the manager resumes it", "weir member log says why; ask the manager"
		}
		return "", ""
	}},
	warned(member.WarnRestored),
	warned(member.WarnUnkeyed),
	warned(member.WarnVoid),
	warned(member.WarnVoidRefused),
	warned(member.WarnVoidLost),
	{"not_running", func(v *MemberStatusView, _ time.Time) (string, string) {
		if v.Running || v.Reason != "" {
			return "", ""
		}
		return "no agent runs", "Start it with weir member run"
	}},
	{"no_dht", func(v *MemberStatusView, now time.Time) (string, string) {
		if v.lonely(now) {
			return "no DHT node answers, so that nothing new is seen", "Check the network connection and --bootstrap; it goes on by itself, and what you signed is kept"
		}
		return "", ""
	}},
	{"disk", func(v *MemberStatusView, now time.Time) (string, string) { return v.room(now) }},
	{"traffic", func(v *MemberStatusView, now time.Time) (string, string) { return v.spent(now) }},
	{"head_stale", func(v *MemberStatusView, now time.Time) (string, string) {
		if !v.Running || !v.Stale || v.lonely(now) {
			return "", ""
		}
		age := time.Duration(v.HeadAge) * time.Second
		return fmt.Sprintf("the newest head is %s old: the manager may be away, or somebody withholds newer ones", age), "Ask the manager whether it runs; payments wait until it does"
	}},
	{"manager_replaced", func(v *MemberStatusView, _ time.Time) (string, string) {
		if v.Running && v.Replaced != nil && v.Replaced.Awaited {
			return "the manager's key was replaced, and this device follows the new one, of which nothing has come yet", "Wait a moment; what waits for the manager is sent to the new key again"
		}
		return "", ""
	}},
	{"untaken", func(v *MemberStatusView, now time.Time) (string, string) {
		if v.Untaken == nil || v.lonely(now) || v.Stale && !v.Untaken.Heard {
			return "", ""
		}
		return v.Untaken.text(now), untakenRemedy
	}},
	{"hand_over", func(v *MemberStatusView, now time.Time) (string, string) {
		if v.lonely(now) || v.Other != "" { // which says it
			return "", ""
		}
		return v.unkept(v.Trouble)
	}},
	{"behind", func(v *MemberStatusView, now time.Time) (string, string) {
		if v.lonely(now) {
			return "", ""
		}
		return v.unkept(v.Problem)
	}},
	{"sources_dropped", func(v *MemberStatusView, _ time.Time) (string, string) {
		if n := len(v.Dropped); n > 0 {
			return v.Dropped[n-1], "Nothing of it was believed; others are asked"
		}
		return "", ""
	}},
	{"clock", func(v *MemberStatusView, now time.Time) (string, string) { return v.clock(now) }},
	{"asking", func(v *MemberStatusView, _ time.Time) (string, string) {
		if v.Account == nil && v.Joining == "asking" && v.Ignored == "" {
			if v.Approval {
				return "your request to join waits for the manager's approval", "Leave weir member run on. If it takes more than some days, ask the manager: nothing tells this program of a rejection"
			}
			return "your request to join waits for the manager to admit you", "Leave weir member run on; if it takes long, ask the manager whether theirs runs"
		}
		return "", ""
	}},
	{"catching_up", func(v *MemberStatusView, now time.Time) (string, string) {
		switch {
		case !v.Running || v.lonely(now) || v.Problem != "":
		case v.Phase == "seeking":
			return "seeking the database", "Wait a moment"
		case v.Phase == "fetching":
			return "fetching what is new", "Wait a moment"
		}
		return "", ""
	}},
}

// warned is a warning of the role's, which says itself what to do.
func warned(code string) condition[MemberStatusView] {
	return condition[MemberStatusView]{code, func(v *MemberStatusView, _ time.Time) (string, string) {
		if i := slices.IndexFunc(v.warned, func(w member.Warning) bool { return w.Code == code }); i >= 0 {
			return v.warned[i].Text, ""
		}
		return "", ""
	}}
}

// lonely says whether no DHT node has answered for so long that it means something.
func (v *MemberStatusView) lonely(now time.Time) bool {
	if !v.Running || v.Up < int64(startSlack/time.Second) {
		return false
	}
	ago, ok := since(now, v.Answered)
	return !ok || ago > 3*time.Duration(v.Every)*time.Second+time.Minute
}

// judge says what is not well with a member.
func (v *MemberStatusView) judge(now time.Time) {
	v.Problems = judge(memberConditions, v, now)
	v.OK = len(v.Problems) == 0
}

// Line is a problem in a line for people.
func (p Problem) Line() string {
	text := strings.TrimSuffix(p.Text, ".") + "."
	if p.Remedy != "" {
		text += " " + strings.TrimSuffix(p.Remedy, ".") + "."
	}
	return text
}

// Bytes is a number of bytes for people.
func Bytes(n uint64) string {
	const units = "kMGTPE"
	if n < 1000 {
		return many(int(n), "byte", "bytes")
	}
	f, i := float64(n)/1000, 0
	for ; f >= 999.95 && i < len(units)-1; i++ {
		f /= 1000
	}
	return fmt.Sprintf("%.1f %cB", f, units[i])
}

func many(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}
