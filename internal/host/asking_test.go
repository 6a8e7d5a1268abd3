package host

import (
	"errors"
	"strings"
	"testing"
	"time"

	"weir/internal/loop"
	"weir/keys"
	"weir/ledger/store"
	"weir/ledger/wire"
	"weir/member"
)

// A look is what an agent sees of its request to join, some minutes after the
// first.
type look struct {
	minutes int
	request int    // nodes that have the request
	heads   uint64 // that the manager has published; 0: none was found yet
	joining member.Joining
}

func TestWhoIsNotAdmittedIsToldOnceTheManagerIsSeenToGoOn(t *testing.T) {
	const asking = member.Asking
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		looks []look
		rest  time.Duration
		want  uint64
	}{
		"nothing happened":                 {[]look{{0, 8, 5, asking}}, 0, 0},
		"the manager is away":              {[]look{{0, 8, 5, asking}, {600, 8, 5, asking}}, 0, 0},
		"too few heads to say":             {[]look{{0, 8, 5, asking}, {1, 8, 8, asking}}, 0, 0},
		"four heads":                       {[]look{{0, 8, 5, asking}, {1, 8, 7, asking}, {2, 8, 9, asking}}, 0, 4},
		"heads before the request was out": {[]look{{0, 0, 5, asking}, {1, 0, 20, asking}, {2, 8, 20, asking}, {3, 8, 21, asking}}, 0, 0},
		"no head yet":                      {[]look{{0, 8, 0, asking}, {1, 8, 0, asking}, {2, 8, 20, asking}, {3, 8, 21, asking}}, 0, 0},
		"one head, hours later":            {[]look{{0, 8, 5, asking}, {240, 8, 6, asking}}, 0, 1},
		"an old invitation rests":          {[]look{{0, 8, 5, asking}, {30, 8, 50, asking}}, time.Hour, 0},
		"an old one, after its rest":       {[]look{{0, 8, 5, asking}, {30, 8, 50, asking}, {61, 8, 90, asking}}, time.Hour, 85},
		"the rest is over, and no news":    {[]look{{0, 8, 5, asking}, {30, 8, 50, asking}, {90, 8, 50, asking}}, time.Hour, 0},
		"admitted":                         {[]look{{0, 8, 5, asking}, {1, 8, 50, asking}, {2, 8, 50, member.Admitted}}, 0, 0},
		"expired":                          {[]look{{0, 8, 5, asking}, {1, 8, 50, asking}, {2, 8, 50, member.Lapsed}}, 0, 0},
		"the nodes forgot it meanwhile":    {[]look{{0, 8, 5, asking}, {1, 0, 50, asking}}, 0, 45},
	} {
		var v vigil
		for _, l := range c.looks {
			s := member.MemberStatus{Joining: l.joining, Request: l.request}
			if s.Cycle = l.heads; l.heads > 0 {
				s.Head = began
			}
			v.look(s, began.Add(time.Duration(l.minutes)*time.Minute))
		}
		if got := v.unanswered(c.rest); got != c.want {
			t.Errorf("%s: %d heads, not %d", name, got, c.want)
		}
	}
}

func TestWhereAPersonApprovesMoreIsWaitedFor(t *testing.T) {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		heads uint64
		after time.Duration
		want  bool
	}{
		"few heads":         {4, 23 * time.Hour, false},
		"nearly many":       {headsMany - 1, time.Hour, false},
		"many":              {headsMany, time.Hour, true},
		"few, but of a day": {1, 24 * time.Hour, true},
	} {
		var v vigil
		s := member.MemberStatus{Joining: member.Asking, Request: 8}
		s.Cycle, s.Head = 5, began
		v.look(s, began)
		s.Cycle += c.heads
		v.look(s, began.Add(c.after))
		if got := v.long(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAnInvitationRestsTheLongerTheOlderItIs(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	for name, c := range map[string]struct{ left, database, want time.Duration }{
		"just made":                   {7 * day, 100 * day, 0},
		"half an hour old":            {7*day - time.Hour/2, 100 * day, 0},
		"two days old":                {5 * day, 100 * day, 48 * time.Minute},
		"about to expire":             {time.Minute, 100 * day, (7*day - time.Minute) / 60},
		"of a shorter lifetime":       {time.Hour, 100 * day, (7*day - time.Hour) / 60},
		"as old as the database":      {time.Hour, 2 * time.Hour, 2 * time.Minute},
		"of a longer lifetime":        {30 * day, 100 * day, restMax},
		"of a database just founded":  {7 * day, 0, 0},
		"a year, in a young database": {365 * day, day, restMax},
	} {
		in := &wire.Invitation{Expires: now.Add(c.left)}
		if got := rest(in, now.Add(-c.database), now); got != c.want {
			t.Errorf("%s: %s, not %s", name, got, c.want)
		}
	}
}

// Whoever waits for a database that nobody has must not wait longer than the
// invitation is good.
func TestJoiningEndsWithTheInvitationWhenThereIsNoDatabase(t *testing.T) {
	for left, want := range map[time.Duration]string{
		time.Hour:  "",
		-time.Hour: "the invitation expired before the database was found: ask for a new one",
	} {
		in := wire.Invitation{DatabaseLink: wire.DatabaseLink{ID: wire.ID{7}}, Expires: time.Now().Add(left).Truncate(time.Second)}
		link, err := in.Link()
		if err != nil {
			t.Fatal(err)
		}
		role, err := member.NewMember(member.MemberConfig{
			Config: member.Config{
				Link: in.DatabaseLink, Changed: func() {},
				Create: func([]byte) (*store.Store, error) { return nil, errors.New("there is no charter") },
			},
			Identity: keys.Derive(keys.Seed{1}), Invitation: &in,
		}, member.Ports{Clock: loop.New()})
		if err != nil {
			t.Fatal(err)
		}
		s := &seat{db: Database{ID: in.ID.String(), Role: RoleMember, Link: link}, role: role}
		done, err := s.joins(AdmittedIn{})
		if done || (err == nil) != (want == "") || err != nil && (Code(err) != CodeRefused || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s left: %v, %v", left, done, err)
		}
	}
}
