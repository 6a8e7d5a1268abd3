package store

import (
	"testing"

	"weir/ledger"
)

// Whatever the simulated disk counts as a step is told; and more, where nothing changes.
func TestAWatchedDiskTellsTheStepsThatACrashableOneCounts(t *testing.T) {
	l := newLibrary(t)
	d, told := NewCrashable(1, nil), 0
	s := must[*Store](t)(Create(Watch(d, func(Step, bool) { told++ }), l.charter, Options{Small: true}))
	check(t, s.Commit([]*ledger.Batch{l.sweep(t, small(3)...)}))
	check(t, s.Close())
	if told < d.Steps() || d.Steps() == 0 {
		t.Errorf("%d were told, and %d were counted", told, d.Steps())
	}
}
