//go:build !linux

package loop

import "time"

func uptime() time.Duration { return awake() }
