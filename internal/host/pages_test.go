package host

import (
	"crypto/rand"
	"slices"
	"testing"
	"time"

	"weir/keys"
	"weir/manager"
	"weir/member"
)

// A page is what fits through the socket: whoever turns all pages has read
// everything, each entry once, and the balances are those of one page.
func TestThePagesOfAStatementAreTheWholeStatement(t *testing.T) {
	id := keys.Derive(keys.Seed{1})
	s := founded(t, id)
	grow(t, s, id, 1)
	m := &Manager{store: s, desk: &manager.Desk{Store: s, Identity: id, Random: rand.Reader, Now: time.Now}}
	for range 6 {
		for _, what := range []func(ActIn) (any, error){m.suspend, m.resume} {
			if _, err := what(ActIn{Who: "1"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	own := keys.Derive(keys.Seed{50, 1})
	a, seat := &Agent{}, &seat{store: s, desk: &member.Desk{Store: s, Identity: own, Random: rand.Reader, Now: time.Now}}
	page := func(in StatementIn) []StatementLine {
		v, err := a.statement(seat, in)
		if err != nil {
			t.Fatal(err)
		}
		return v.(StatementView).Lines
	}
	whole := page(StatementIn{})
	if len(whole) != 13 {
		t.Fatalf("%d lines of an admission, 6 suspensions and 6 ends of one", len(whole))
	}
	var turned []StatementLine
	for in := (StatementIn{Count: 5}); ; {
		p := page(in)
		turned = append(slices.Clone(p), turned...)
		if len(p) < 5 {
			break
		}
		in.Before = p[0].Index
	}
	if !slices.Equal(turned, whole) {
		t.Errorf("pages: %v\nwhole: %v", turned, whole)
	}
}

// What is left out would be missed by nobody who was not told.
func TestALogsPageIsAsManyEntriesAsWereAskedForFromTheEnd(t *testing.T) {
	id := keys.Derive(keys.Seed{1})
	s := founded(t, id)
	grow(t, s, id, 12)
	for in, want := range map[LogIn][2]uint64{
		{Count: 5}:            {8, 12},
		{Count: 50}:           {1, 12},
		{}:                    {1, 12},
		{First: 3, Count: 4}:  {3, 6},
		{First: 11, Count: 4}: {11, 12},
	} {
		v, err := viewLog(s, in)
		if err != nil {
			t.Fatal(err)
		}
		if v[0].Index != want[0] || v[len(v)-1].Index != want[1] {
			t.Errorf("%+v: %d to %d", in, v[0].Index, v[len(v)-1].Index)
		}
	}
}
