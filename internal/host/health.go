package host

import (
	"fmt"
	"strings"
	"time"

	"weir/ledger/store"
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
