package wire

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"weir/keys"
)

func TestThoseWhoCanReadMeetAtAnotherPlaceEveryWeek(t *testing.T) {
	id, key := ID{1}, keys.ReadKey{2}
	place := func(week uint64) [20]byte {
		h := hmac.New(sha256.New, key[:])
		h.Write(binary.BigEndian.AppendUint64(append([]byte("weir/v1/meet"), id[:]...), week))
		return [20]byte(h.Sum(nil))
	}
	const week = 604800
	for _, c := range []struct {
		name    string
		seconds int64
		weeks   []uint64
	}{
		{"in the middle of a week", 2900*week + week/2, []uint64{2900}},
		{"as a week begins", 2900 * week, []uint64{2900, 2899}},
		{"as its first 12 hours end", 2900*week + 12*3600 - 1, []uint64{2900, 2899}},
		{"after them", 2900*week + 12*3600, []uint64{2900}},
		{"before its last 12 hours", 2901*week - 12*3600 - 1, []uint64{2900}},
		{"as they begin", 2901*week - 12*3600, []uint64{2900, 2901}},
		{"in its last second", 2901*week - 1, []uint64{2900, 2901}},
		{"in the first week, which has none before it", 0, []uint64{0}},
		{"with a clock that was never set", -5, []uint64{0}},
	} {
		var want [][20]byte
		for _, w := range c.weeks {
			want = append(want, place(w))
		}
		if got := MeetInfohashes(id, key, time.Unix(c.seconds, 999_999_999)); !slices.Equal(got, want) {
			t.Errorf("%s: %x, not %x", c.name, got, want)
		}
	}
}

func TestTwoClocksThatAreHalfADayApartMeet(t *testing.T) {
	id, key := ID{1}, keys.ReadKey{2}
	for hour := range int64(3 * 7 * 24) {
		at := time.Unix(hour*3600+1, 0)
		one, other := MeetInfohashes(id, key, at), MeetInfohashes(id, key, at.Add(12*time.Hour))
		if !slices.ContainsFunc(one, func(p [20]byte) bool { return slices.Contains(other, p) }) {
			t.Errorf("hour %d: %x and %x", hour, one, other)
		}
	}
}

func TestThePlaceBelongsToOneDatabaseAndOneKey(t *testing.T) {
	at := time.UnixMilli(day)
	places := map[[20]byte]bool{MeetInfohash(ID{1}): true}
	for _, p := range [][][20]byte{
		MeetInfohashes(ID{1}, keys.ReadKey{2}, at), MeetInfohashes(ID{2}, keys.ReadKey{2}, at), MeetInfohashes(ID{1}, keys.ReadKey{3}, at),
		MeetInfohashes(ID{1}, keys.ReadKey{2}, at.AddDate(0, 0, 7)),
	} {
		places[p[0]] = true
	}
	if len(places) != 5 {
		t.Errorf("%d places", len(places))
	}
}
