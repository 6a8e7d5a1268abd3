package host

import (
	"encoding/json"
	"sync"
	"time"

	"weir/configs"
	"weir/keys/keyfile"
)

// TrafficView is what went through the network: everything that the sockets of a
// manager or an agent sent and got, headers of UDP included.
type TrafficView struct {
	TodayUp   uint64 `json:"today_up_bytes"`
	TodayDown uint64 `json:"today_down_bytes"`
	MonthUp   uint64 `json:"month_up_bytes"` // calendar month
	MonthDown uint64 `json:"month_down_bytes"`
	StartUp   uint64 `json:"start_up_bytes"` // since it was started
	StartDown uint64 `json:"start_down_bytes"`
	Limit     int64  `json:"limit_bytes,omitempty"`
	Per       string `json:"limit_per,omitempty"` // day or month
	Reached   bool   `json:"limit_reached,omitempty"`
}

// span is what went through in a day or a month.
type span struct {
	Label string `json:"label"` // 2026-11-28, 2026-11
	Up    uint64 `json:"up"`
	Down  uint64 `json:"down"`
}

func (s *span) add(label string, up, down uint64) {
	if s.Label != label {
		*s = span{Label: label}
	}
	s.Up += up
	s.Down += down
}

// traffic adds up what goes through, from one start to the next. Its methods may
// be called from any goroutine.
type traffic struct {
	path  string // "": nothing is kept
	limit configs.Traffic
	count func() (up, down uint64) // since the start

	mu       sync.Mutex
	day      span
	month    span
	up, down uint64 // as last counted
}

const trafficBytesMax = 4 << 10

// newTraffic goes on from what a file says; one that does not read is no traffic.
func newTraffic(path string, limit configs.Traffic, count func() (up, down uint64)) *traffic {
	t := &traffic{path: path, limit: limit, count: count}
	if path == "" {
		return t
	}
	if b, err := readSmall(path, trafficBytesMax); err == nil {
		t.day, t.month = parseTraffic(b)
	}
	return t
}

// parseTraffic reads what was kept; what does not read is nothing.
func parseTraffic(b []byte) (day, month span) {
	var kept [2]span
	if json.Unmarshal(b, &kept) != nil {
		return span{}, span{}
	}
	return kept[0], kept[1]
}

// look adds what went through since the last look to the day and the month of a
// time, in the user's zone.
func (t *traffic) look(now time.Time) TrafficView {
	t.mu.Lock()
	defer t.mu.Unlock()
	up, down := t.count()
	t.day.add(now.Format(time.DateOnly), up-t.up, down-t.down)
	t.month.add(now.Format("2006-01"), up-t.up, down-t.down)
	t.up, t.down = up, down
	v := TrafficView{
		TodayUp: t.day.Up, TodayDown: t.day.Down, MonthUp: t.month.Up, MonthDown: t.month.Down, StartUp: up, StartDown: down,
	}
	if t.limit.Bytes > 0 {
		v.Limit, v.Per = t.limit.Bytes, "day"
		through := t.day.Up + t.day.Down
		if t.limit.Month {
			v.Per, through = "month", t.month.Up+t.month.Down
		}
		v.Reached = through >= uint64(t.limit.Bytes)
	}
	return v
}

// keep writes down what there is.
func (t *traffic) keep() {
	t.mu.Lock()
	b, err := json.Marshal([2]span{t.day, t.month})
	t.mu.Unlock()
	if err == nil && t.path != "" {
		_ = keyfile.WriteAtomic(t.path, b) // a disk that fails is met by what matters more
	}
}
