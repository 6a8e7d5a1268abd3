package manager

import (
	"testing"
	"time"
)

func TestAnOutboxsTimeIsWhenItWasSigned(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	for seq, want := range map[int64]int64{1_799_000_000_000: 1_799_000_000_000, 1_800_000_000_000: 1_800_000_000_000, 1_900_000_000_000: 1_800_000_000_000, 1 << 52: 1_800_000_000_000, 7: 7} {
		if got := signedAt(seq, now); got.UnixMilli() != want {
			t.Errorf("seq %d: %v", seq, got)
		}
	}
}
