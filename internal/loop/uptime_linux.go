package loop

import (
	"time"

	"golang.org/x/sys/unix"
)

// uptime is the time since this machine started, sleep included
// (CLOCK_BOOTTIME, clock_gettime(2)).
func uptime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return awake()
	}
	return time.Duration(t.Nano())
}
