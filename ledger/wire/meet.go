package wire

import (
	"crypto/hmac"
	"crypto/sha256"
	"time"

	"weir/keys"
)

const (
	labelMeet = "weir/v1/meet"

	// weekSeconds is how long those who hold an encrypted database meet in one
	// place; weekOverlap is how long they meet in two, on each side of an edge,
	// since nobody's clock is quite right.
	weekSeconds = 7 * 24 * 3600
	weekOverlap = 12 * 3600
)

// MeetInfohashes is where those who can read an encrypted database find each
// other on the DHT (BEP 5) at a time: this week's place, and within 12 hours of
// the week's edge the neighbour's too. A place is the first 20 bytes of
//
//	HMAC-SHA256(read key, "weir/v1/meet" ‖ id (20) ‖ week u64)
//
// a week being 604,800 s of Unix time. Strangers can neither find it nor tell
// that last week's was the same database's. No torrent has it, so never ask for
// its metadata. Those of a readable database meet at MeetInfohash.
func MeetInfohashes(id ID, key keys.ReadKey, at time.Time) [][20]byte {
	seconds := uint64(max(at.Unix(), 0))
	week, into := seconds/weekSeconds, seconds%weekSeconds
	places := [][20]byte{meetInfohash(id, key, week)}
	switch {
	case into < weekOverlap && week > 0:
		places = append(places, meetInfohash(id, key, week-1))
	case into >= weekSeconds-weekOverlap:
		places = append(places, meetInfohash(id, key, week+1))
	}
	return places
}

func meetInfohash(id ID, key keys.ReadKey, week uint64) [20]byte {
	h := hmac.New(sha256.New, key[:])
	h.Write([]byte(labelMeet))
	h.Write(id[:])
	h.Write(appendU64(nil, week))
	return [20]byte(h.Sum(nil))
}
