package main

import (
	"slices"
	"testing"

	"weir/internal/host"
)

func TestColumnsStandBelowEachOther(t *testing.T) {
	got := layOut([]string{"NAME", "-BALANCE", "NOTE"}, [][]string{{"花子", "-12.50", ""}, {"Ben", "3.00", "quiet"}}, 0)
	want := []string{"NAME  BALANCE  NOTE", "花子   -12.50", "Ben      3.00  quiet"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestRowsFitTheTerminal(t *testing.T) {
	rows := [][]string{
		{"1", "somebody with a name as long as one may be", "-1000.00", "花花花花花花花花花花花花花花花花花花花花花花花花"},
		{"2", "Ben", "3.00", ""},
	}
	head := []string{"ACCOUNT", "NAME", "-BALANCE", "NOTE"}
	for _, fit := range []int{80, 60, 40} {
		lines := layOut(head, rows, fit)
		for _, l := range lines {
			if host.Width(l) > fit {
				t.Errorf("%d cells where %d fit: %q", host.Width(l), fit, l)
			}
		}
	}
	if got := layOut(head, rows, 10)[2]; got != "2        Ben           3.00" {
		t.Errorf("what cannot fit keeps its numbers and the beginnings of its words: %q", got)
	}
}
