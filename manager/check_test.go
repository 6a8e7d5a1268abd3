package manager

import (
	"testing"

	"weir/internal/lookup"
)

func TestAHeadThatWasNotSignedHereIsNamedByWhatWas(t *testing.T) {
	const there = "the network has a head that was signed at 2026-03-01 12:00:00 (UTC), and "
	found := lookup.Item{Seq: 1772366400000, Value: []byte("of another machine")}
	for seq, here := range map[int64]string{
		0:             there + "none was signed here",
		1772366399000: there + "the newest that was signed here is of 2026-03-01 11:59:59 (UTC)",
		1772366400000: "there are two heads that differ and were both signed at 2026-03-01 12:00:00 (UTC)",
		1772366401000: "",
	} {
		m := &Manager{head: headRecord{Seq: seq}}
		if why, e := m.foreign(found); why != here || e != nil {
			t.Errorf("after one of %d: %q, %v", seq, why, e)
		}
	}
}
