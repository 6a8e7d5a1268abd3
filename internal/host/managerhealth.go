package host

import (
	"fmt"
	"strings"
	"time"

	"weir/manager"
)

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
