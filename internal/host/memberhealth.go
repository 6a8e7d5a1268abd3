package host

import (
	"fmt"
	"slices"
	"time"

	"weir/member"
)

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
