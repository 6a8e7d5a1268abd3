package host

import (
	"fmt"
	"time"

	"weir/ledger/wire"
	"weir/member"
)

// An invitation that was revoked, or that somebody else used long ago, gets no
// answer, and nothing of it is published. What a member can see is that the
// manager goes on and does not admit it.

// vigil is what an agent sees while nothing comes of a request to join.
type vigil struct {
	began  time.Time // when DHT nodes were first seen to have the request; zero: not yet
	before uint64    // heads that the manager had published by then
	newest uint64    // heads that it has published by now
	seen   time.Time // when the newest of them came
}

const (
	// headsMin is how many newer heads say something: the first may be of a poll
	// that was under way, and one request may be missed.
	headsMin = 4
	// headsMany is how many say something where a person decides, who takes the time
	// that it takes.
	headsMany = 20
	// headLate is when fewer will do: a database in which little happens has a head
	// every few hours.
	headLate = time.Hour
	// usualLifetime is an invitation's, unless its manager says otherwise.
	usualLifetime = 7 * 24 * time.Hour
	// restMax is the longest that a manager lets an invitation of the usual lifetime
	// rest between two looks.
	restMax = usualLifetime / 60
)

// look notes the newest head, and when it came.
func (v *vigil) look(s member.MemberStatus, now time.Time) {
	switch {
	case s.Joining != member.Asking || s.Head.IsZero():
		*v = vigil{}
	case v.began.IsZero() && s.Request > 0:
		*v = vigil{began: now, before: s.Cycle, newest: s.Cycle, seen: now}
	case !v.began.IsZero() && s.Cycle > v.newest:
		v.newest, v.seen = s.Cycle, now
	}
}

// unanswered is how many heads the manager has published since it could have read
// the request; 0 as long as that says nothing. rest is how long the manager may
// leave the invitation alone between two looks.
func (v *vigil) unanswered(rest time.Duration) uint64 {
	heads, waited := v.newest-v.before, v.seen.Sub(v.began)
	if heads == 0 || heads < headsMin && waited < headLate || waited < rest {
		return 0
	}
	return heads
}

// long says whether so much has been seen that a person who approves would have done
// so: many heads, or few in a day.
func (v *vigil) long() bool {
	return v.newest-v.before >= headsMany || v.seen.Sub(v.began) >= 24*time.Hour
}

// rest is how long a manager may leave an open invitation alone between two
// looks: it asks every cycle in the first hour, then after a sixtieth of the
// invitation's age (manager/invite.go). The link has no age in it; it is taken to
// be of the usual lifetime, and no older than the database.
func rest(in *wire.Invitation, created, now time.Time) time.Duration {
	made := in.Expires.Add(-usualLifetime)
	switch {
	case made.After(now):
		return restMax // of a longer lifetime: nobody can tell
	case made.Before(created):
		made = created
	}
	if age := now.Sub(made); age > time.Hour {
		return age / 60
	}
	return 0
}

// watch keeps the vigil; it is called at every change.
func (s *seat) watch() {
	if s.role != nil {
		s.vigil.look(s.role.Status(), time.Now())
	}
}

// asked completes what a role or a desk says of joining with what the link says:
// before the database is found nobody has asked yet, and a desk has no clock.
func (s *seat) asked(st *member.MemberStatus, now time.Time) {
	j, err := s.db.joined()
	if err != nil || j.Invitation == nil || st.Account != nil {
		return
	}
	if st.Joining == member.NotJoining && s.open() == nil {
		st.Joining = member.Asking
	}
	if st.Joining == member.Asking && !now.Before(j.Invitation.Expires) {
		st.Joining = member.Lapsed
	}
}

// unanswered is for how many heads the own request to join has had no answer, and
// that in words; 0 as long as that says nothing.
func (s *seat) unanswered(now time.Time) (heads uint64, why string) {
	j, err := s.db.joined()
	if err != nil || j.Invitation == nil || s.open() == nil {
		return 0, ""
	}
	approval := s.open().State().Charter.Approval
	created := time.UnixMilli(s.open().State().Charter.Created)
	if heads = s.vigil.unanswered(rest(j.Invitation, created, now)); heads == 0 || approval && !s.vigil.long() {
		return 0, ""
	}
	published := "a head"
	if heads > 1 {
		published = fmt.Sprintf("%d heads", heads)
	}
	if approval {
		return heads, "the manager has published " + published + " since your request to join reached the DHT, and has not approved it: " +
			"it may wait, it may have been rejected, or the manager lost it when it was rebuilt on another machine. Ask the manager; if there is no request of yours, ask for a new invitation"
	}
	return heads, "the manager has published " + published + " since your request to join reached the DHT, and has not admitted you: " +
		"the invitation may have been revoked, or used by somebody else. Ask the manager for a new one"
}
