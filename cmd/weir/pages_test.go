package main

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"weir/internal/host"
)

// A statement, or a log, of more entries than one answer has is whole all the
// same.
func TestEveryPageOfAStatementIsTurned(t *testing.T) {
	const newest = 2*host.PageMax + 7
	call := func(name string, in, out any) error {
		if name != "member statement" {
			return errors.New("called " + name)
		}
		ask := in.(host.StatementIn)
		if ask.Since != 3 {
			t.Errorf("a page since %d is asked for", ask.Since)
		}
		if ask.Count > host.PageMax {
			t.Errorf("a page of %d is asked for", ask.Count)
		}
		last := uint64(newest)
		if ask.Before != 0 {
			last = ask.Before - 1
		}
		page := []host.StatementLine{}
		for i := last; i > 0 && len(page) < ask.Count; i-- {
			page = append(page, host.StatementLine{Index: i})
		}
		slices.Reverse(page)
		*out.(*host.StatementView) = host.StatementView{Lines: page, Opening: fmt.Sprint(last), Closing: fmt.Sprint(last)}
		return nil
	}
	for count, first := range map[int]uint64{0: 1, 1: newest, 10: newest - 9, host.PageMax: host.PageMax + 8, 2 * host.PageMax: 8, newest: 1, newest + 1: 1} {
		v, err := statement(call, host.StatementIn{Since: 3}, count)
		if err != nil {
			t.Fatal(err)
		}
		all := v.Lines
		if v.Closing != fmt.Sprint(newest) {
			t.Errorf("count %d: the closing balance is that of entry %s", count, v.Closing)
		}
		if len(all) != int(newest-first)+1 || all[0].Index != first || !slices.IsSortedFunc(all, func(a, b host.StatementLine) int { return int(a.Index) - int(b.Index) }) {
			t.Errorf("count %d: %d lines from %d on", count, len(all), all[0].Index)
		}
	}
}

func TestEveryPageOfALogIsTurned(t *testing.T) {
	const newest = 2*host.PageMax + 7
	call := func(name string, in, out any) error {
		ask := in.(host.LogIn)
		first := ask.First
		if first == 0 {
			first = uint64(max(1, newest-ask.Count+1))
		}
		page := []host.EntryView{}
		for i := first; i <= newest && len(page) < min(ask.Count, host.PageMax); i++ {
			page = append(page, host.EntryView{Index: i})
		}
		*out.(*[]host.EntryView) = page
		return nil
	}
	for _, c := range []struct {
		first       uint64
		count       int
		from, until uint64
	}{
		{0, 50, newest - 49, newest},
		{0, 0, 1, newest},
		{5, 0, 5, newest},
		{0, newest, 1, newest},
		{0, 2 * newest, 1, newest},
		{3, host.PageMax + 1, 3, host.PageMax + 3},
		{0, host.PageMax, host.PageMax + 8, newest},
		{newest, 50, newest, newest},
	} {
		all, err := entries(call, "member log", c.first, c.count)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) != int(c.until-c.from)+1 || all[0].Index != c.from || all[len(all)-1].Index != c.until {
			t.Errorf("%d entries from %d on: %d from %d to %d", c.count, c.first, len(all), all[0].Index, all[len(all)-1].Index)
		}
	}
	if all, err := entries(call, "member log", newest+1, 50); err != nil || all == nil || len(all) != 0 {
		t.Errorf("past the end: %v, %v", all, err)
	}
}
