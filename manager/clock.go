package manager

import (
	"fmt"
	"time"

	"weir/ledger/wire"
)

// clockLeap is how far after the last thing written a clock is believed.
const clockLeap = 30 * 24 * time.Hour

const wrongClock = "%s. An entry with a wrong time cannot be taken back, so nothing is merged. Set the clock right, or, if it is right, say so while the manager runs: weir manager clock accept."

// clock says why this machine's clock is not believed, and what to do; ""
// when it is. A leap backward needs no yes: the log's time stands still.
func (d *Desk) clock() string {
	if why := d.ClockAhead(); why != "" {
		return fmt.Sprintf(wrongClock, why)
	}
	if d.drifted != nil {
		if why := d.drifted(); why != "" {
			return fmt.Sprintf(wrongClock, why)
		}
	}
	return ""
}

// ClockAhead says how far the clock is after the last thing written, where that is
// so far that somebody must look; "": it is not.
func (d *Desk) ClockAhead() string {
	now, last := d.Now(), d.written()
	if now.Sub(last) <= clockLeap {
		return ""
	}
	return fmt.Sprintf("this machine's clock says %s, which is %d days after this manager last wrote anything",
		now.UTC().Format("2006-01-02 15:04"), int(now.Sub(last).Hours()/24))
}

// written is when this manager last wrote anything, or somebody said that the
// clock is right. In quiet times heads are all that is written.
func (d *Desk) written() time.Time {
	last := d.Store.State().Time
	if yes, ok, err := readRecord[int64](d.Store, keyClock); err == nil && ok {
		last = max(last, yes)
	}
	if r, ok, err := readRecord[headRecord](d.Store, keyHead); err == nil && ok {
		if h, err := wire.ParseHead(r.Value); err == nil {
			last = max(last, h.Time)
		}
	}
	return time.UnixMilli(last)
}
