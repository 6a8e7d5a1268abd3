package host

import (
	"slices"
	"strings"
	"testing"
	"time"

	"weir/member"
)

// noon is when everything in these tests is looked at.
var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

func before(d time.Duration) string { return viewTime(noon.Add(-d)) }

// machine is one with which all is well.
func machine() HealthView {
	return HealthView{Up: 7200, Every: 30, Reach: "no", Disk: &DiskView{Used: 1 << 20, Free: 10 << 30}, Traffic: &TrafficView{}, Clock: &ClockView{}}
}

func wellManager() *ManagerStatusView {
	return &ManagerStatusView{
		HealthView: machine(), Running: true, Phase: "running", Name: "Harbour", Nodes: 40, HeadTime: before(time.Hour), HeadPut: true,
		Cycle: &CycleView{Started: before(20 * time.Second), Polled: 10, Short: 5},
	}
}

func wellMember() *MemberStatusView {
	return &MemberStatusView{
		HealthView: machine(), Running: true, Phase: "current", Answered: before(20 * time.Second), HeadTime: before(time.Hour), HeadAge: 3600,
		Account: &AccountView{Account: 1}, Joining: "member", Waiting: 3,
	}
}

// each is one row of a table of conditions: what makes it so, and what is said.
type each[V any] struct {
	code, says string
	so         func(*V)
}

// check makes each condition so, alone and with all that come after it.
func check[V any](t *testing.T, table []condition[V], well func() *V, rows []each[V]) {
	t.Helper()
	if got := judge(table, well(), noon); len(got) != 0 || got == nil {
		t.Errorf("where all is well: %v", got)
	}
	var codes []string
	for i, r := range rows {
		if !slices.Contains(codes, r.code) {
			codes = append(codes, r.code)
		}
		v := well()
		r.so(v)
		got := judge(table, v, noon)
		if len(got) == 0 || got[0].Code != r.code || !strings.Contains(got[0].Line(), r.says) {
			t.Errorf("%s (row %d): %v", r.code, i, got)
			continue
		}
		if got[0].Remedy == "" && !strings.Contains(r.says, "do") && !strings.Contains(r.says, ": ask") {
			t.Errorf("%s says not what to do: %s", r.code, got[0].Text)
		}
	}
	var all []string
	for _, c := range table {
		all = append(all, c.code)
	}
	if !slices.Equal(codes, all) {
		t.Errorf("the rows are of %v, the table of %v", codes, all)
	}
}

func TestWhatIsNotWellWithAManagerIsSaidWithWhatToDo(t *testing.T) {
	type v = ManagerStatusView
	check(t, managerConditions, wellManager, []each[v]{
		{"moved", "was moved; do that", func(v *v) { v.Moved, v.Running = "was moved; do that", false }},
		{"stopped", "another machine; do this", func(v *v) { v.Phase, v.Problem, v.Running = "stopped", "another machine; do this", false }},
		{"refusing", "newer; do that", func(v *v) { v.Phase, v.Problem = "refusing", "newer; do that" }},
		{"damaged", "block 3. weir manager audit", func(v *v) { v.Damage, v.Phase = "block 3", "starting" }},
		{"held", "clock; do accept", func(v *v) { v.Phase, v.Problem = "held", "clock; do accept" }},
		{"not_running", "does not run. Start it with weir manager run.", func(v *v) { v.Running, v.Phase, v.Cycle = false, "offline", nil }},
		{"no_dht", "Check the network connection", func(v *v) { v.Nodes, v.Cycle.Problem, v.Cycle.Short = 0, "nobody", 10 }},
		{"cycle", "the disk; do it", func(v *v) { v.Cycle.Problem = "the disk; do it" }},
		{"late", "the last cycle began 1h0m0s ago", func(v *v) { v.Cycle.Started = before(time.Hour) }},
		{"disk", "nearly full: 205.0 MB are left. Make room", func(v *v) { v.Disk.Free = 205_000_000 }},
		{"disk", "1.0 MB of 1.0 MB are used", func(v *v) { v.Disk.Used, v.Disk.Limit = 1_000_001, 1_000_000 }},
		{"traffic", "on 2026-11-29", func(v *v) { v.Traffic = &TrafficView{Limit: 5, Per: "day", Reached: true} }},
		{"traffic", "of 5 bytes a month is reached: nothing is served to others, and torrents are not fetched. It goes on by itself on 2026-12-01", func(v *v) { v.Traffic = &TrafficView{Limit: 5, Per: "month", Reached: true} }},
		{"keys_short", "for 6 of 10 members", func(v *v) { v.Cycle.Short = 6 }},
		{"outboxes_stall", "1 outbox stalls", func(v *v) { v.Stalled = make([]MemberView, 1) }},
		{"outboxes_stall", "2 outboxes stall", func(v *v) { v.Stalled = make([]MemberView, 2) }},
		{"outboxes_stall", "1 outbox stalls: 7 Ana: it is torn. ", func(v *v) {
			v.Stalled = []MemberView{{AccountView: AccountView{Account: 7, Name: "Ana"}, Problem: "it is torn"}}
		}},
		{"outboxes_stall", "; and 2 more, which weir manager status lists", func(v *v) { v.Stalled = make([]MemberView, 5) }},
		{"head_unacknowledged", "published 6m0s ago has reached no DHT node", func(v *v) { v.HeadPut, v.HeadTime = false, before(6*time.Minute) }},
		{"clock", "was changed by 3m0s while weir ran", func(v *v) { v.Clock.Leapt = -180 }},
		{"starting", "Wait a moment", func(v *v) { v.Phase, v.Cycle = "starting", nil }},
	})
	for _, phase := range []string{"stopped", "refusing"} {
		idle := wellManager()
		idle.Running, idle.Phase, idle.Problem = false, phase, "two ran"
		if got := judge(managerConditions, idle, noon); len(got) != 1 || got[0].Code != phase {
			t.Errorf("a manager that must not be started is told to be: %v", got)
		}
	}
	late := wellManager()
	late.Every, late.Cycle.Started = 900, before(40*time.Minute)
	if got := judge(managerConditions, late, noon); len(got) != 0 {
		t.Errorf("a metered manager looks rarely: %v", got)
	}
}

func TestWhatIsNotWellWithAMemberIsSaidWithWhatToDo(t *testing.T) {
	type v = MemberStatusView
	check(t, memberConditions, wellMember, []each[v]{
		{"stopped", "two histories. Nothing more of this database is believed", func(v *v) { v.Reason, v.Phase, v.Problem = "two histories", "stopped", "x" }},
		{"other_device", "another device; do take over", func(v *v) { v.Other, v.Running = "another device; do take over", false }},
		{"damaged", "weir member audit", func(v *v) { v.Damage = "block 3" }},
		{"invitation_taken", "Ask the manager for a new one, and tell them", func(v *v) { v.Joining, v.Account = "taken", nil }},
		{"invitation_expired", "expired before the manager took the request: ask for", func(v *v) { v.Joining, v.Account = "expired", nil }},
		{"unanswered", "not admitted; do ask", func(v *v) { v.Ignored, v.Account, v.Joining = "not admitted; do ask", nil, "asking" }},
		{"suspended", "ask the manager", func(v *v) { v.Account.Suspended, v.Running = true, false }},
		{"restored", "this was restored; do look", func(v *v) {
			v.Problem, v.warned, v.Running = "x", []member.Warning{{Code: "behind", Text: "x"}, {Code: "restored", Text: "this was restored; do look"}}, false
		}},
		{"account_void", "do ask again", func(v *v) { v.warned = []member.Warning{{Code: "account_void", Text: "do ask again"}} }},
		{"changes_void", "do nothing", func(v *v) { v.warned = []member.Warning{{Code: "changes_void", Text: "do nothing"}} }},
		{"changes_void_refused", "do sign", func(v *v) { v.warned = []member.Warning{{Code: "changes_void_refused", Text: "do sign"}} }},
		{"changes_void_lost", "do sign", func(v *v) { v.warned = []member.Warning{{Code: "changes_void_lost", Text: "do sign"}} }},
		{"not_running", "no agent runs. Start it with weir member run.", func(v *v) { v.Running, v.Phase, v.Stale = false, "offline", true }},
		{"no_dht", "what you signed is kept", func(v *v) {
			v.Answered, v.Stale, v.Problem, v.Trouble = before(4*time.Minute), true, "nobody", "nobody"
		}},
		{"no_dht", "Check the network", func(v *v) { v.Answered, v.Phase = "", "seeking" }},
		{"disk", "full: 0 bytes are left, and no more is written", func(v *v) { v.Disk.Free = 0 }},
		{"traffic", "Payments are still handed over.", func(v *v) { v.Traffic = &TrafficView{Limit: 5, Per: "day", Reached: true} }},
		{"head_stale", "25h0m0s old: the manager may be away", func(v *v) { v.Stale, v.HeadAge = true, 25*3600 }},
		{"manager_replaced", "follows the new one, of which nothing has come yet. Wait", func(v *v) { v.Replaced, v.Phase = &ReplacedView{Succession: 1, Awaited: true}, "seeking" }},
		{"untaken", "change 4 has been on the DHT for 7m0s, longer than is usual, and the manager has published nothing since", func(v *v) { v.Untaken = &UntakenView{Number: 4, Since: before(7 * time.Minute)} }},
		{"untaken", "has published since without it", func(v *v) { v.Untaken = &UntakenView{Number: 4, Since: before(7 * time.Minute), Heard: true} }},
		{"hand_over", "full; do wait", func(v *v) { v.Trouble = "full; do wait" }},
		{"behind", "could not be kept here, since the disk was full. It is tried again by itself.", func(v *v) { v.Problem = "chunks of the head: commit: the disk is full: 43 MB are free" }},
		{"behind", "nobody has it; do wait", func(v *v) { v.Problem, v.Phase = "nobody has it; do wait", "fetching" }},
		{"sources_dropped", "torrent b was dropped. Nothing of it was believed", func(v *v) { v.Dropped = []string{"torrent a was dropped", "torrent b was dropped"} }},
		{"clock", "is 10m0s behind the newest head's", func(v *v) { v.Clock.Behind = 600 }},
		{"asking", "your request to join waits for the manager to admit you", func(v *v) { v.Account, v.Joining, v.Phase = nil, "asking", "seeking" }},
		{"catching_up", "seeking the database", func(v *v) { v.Phase = "seeking" }},
		{"catching_up", "fetching what is new", func(v *v) { v.Phase = "fetching" }},
	})
	for name, so := range map[string]func(v *v){
		"a reader":                 func(v *v) { v.Account, v.Joining = nil, "" },
		"just started":             func(v *v) { v.Up, v.Answered = 5, "" },
		"metered, looks rarely":    func(v *v) { v.Every, v.Answered = 900, before(40*time.Minute) },
		"a succession is followed": func(v *v) { v.Replaced = &ReplacedView{Succession: 1} },
		"disk and traffic unknown": func(v *v) { v.Disk, v.Traffic, v.Clock = nil, nil, nil },
	} {
		v := wellMember()
		so(v)
		if got := judge(memberConditions, v, noon); len(got) != 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// What a full disk and another device keep from being done is said once.
func TestACauseIsSaidOnce(t *testing.T) {
	for code, so := range map[string]func(*MemberStatusView){
		"disk": func(v *MemberStatusView) {
			v.Disk.Free, v.Problem, v.Trouble = 43<<20, "torrent a: write a piece: no space left on device", "commit: the disk is full"
		},
		"other_device": func(v *MemberStatusView) { v.Other, v.Trouble = "another device", "another device" },
	} {
		v := wellMember()
		so(v)
		if got := judge(memberConditions, v, noon); len(got) != 1 || got[0].Code != code {
			t.Errorf("%s: %v", code, got)
		}
	}
}

func TestTheFirstProblemIsTheMostImportant(t *testing.T) {
	v := wellMember()
	v.Account.Suspended, v.Dropped, v.Reason = true, []string{"x"}, "two histories"
	v.judge(noon)
	if v.OK || len(v.Problems) != 3 || v.Problems[0].Code != "stopped" || v.Problems[2].Code != "sources_dropped" {
		t.Errorf("%v", v.Problems)
	}
	m := wellManager()
	m.judge(noon)
	if !m.OK || m.Problems == nil {
		t.Errorf("%v", m.Problems)
	}
}

func TestBytesAreForPeople(t *testing.T) {
	for n, want := range map[uint64]string{0: "0 bytes", 1: "1 byte", 999: "999 bytes", 1000: "1.0 kB", 1_250_000: "1.2 MB", 999_999: "1.0 MB", 35_400_000_000: "35.4 GB", 1 << 63: "9.2 EB"} {
		if got := Bytes(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// Whatever a member's role warns of makes its status not well.
func TestEveryWarningIsACondition(t *testing.T) {
	s := member.MemberStatus{
		Status:  member.Status{Reason: "x", Problem: "x", Stale: true, Dropped: []string{"x"}},
		Foreign: "x", Restored: "x", Trouble: "x", Unkeyed: "x", Account: &member.Account{Suspended: true},
		Void: []uint64{1}, VoidRefused: []uint64{1}, VoidLost: []uint64{1},
	}
	s.Joining = member.Taken
	all := s.Warned()
	s.Joining = member.Lapsed
	all = append(all, s.Warned()...)
	if len(all) != 2*13 {
		t.Errorf("%d warnings", len(all))
	}
	for _, w := range all {
		if !slices.ContainsFunc(memberConditions, func(c condition[MemberStatusView]) bool { return c.code == w.Code }) {
			t.Errorf("%s: %s", w.Code, w.Text)
		}
	}
}
