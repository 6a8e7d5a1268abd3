package main

import (
	"slices"
	"testing"
)

func TestCharactersTakeTheirCells(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "Ana": 3, "Zoë": 3, "Zoe\u0308": 3, "花子": 4, "Ａ": 2, "한글": 4, "ﾊﾝ": 2, "🙂": 2, "שלום": 4, "a\u200db": 2, "नि": 2,
	} {
		if got := cells(text); got != want {
			t.Errorf("%q takes %d cells, want %d", text, got, want)
		}
	}
}

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
			if cells(l) > fit {
				t.Errorf("%d cells where %d fit: %q", cells(l), fit, l)
			}
		}
	}
	if got := layOut(head, rows, 10)[2]; got != "2        Ben           3.00" {
		t.Errorf("what cannot fit keeps its numbers and the beginnings of its words: %q", got)
	}
}
