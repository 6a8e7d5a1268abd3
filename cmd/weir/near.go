package main

import "strings"

// near is the one of some words that somebody probably meant; "" when none is like
// what was typed, for a wrong guess helps nobody. Like it is what begins so, what
// one slip makes of it, and with the same first letter what a slip more in every
// four letters does.
func near(typed string, known []string) string {
	best, least := "", len(typed)
	for _, k := range known {
		if len(typed) > 1 && strings.HasPrefix(k, typed) {
			return k
		}
		n := slips(typed, k)
		meant := n == 1 && len(typed) > 2 || typed != "" && k != "" && typed[0] == k[0] && n <= 1+len(typed)/4
		if meant && n < least {
			best, least = k, n
		}
	}
	return best
}

// slips is how many letters were left out, added, mistaken or changed places with
// the next between two words (the distance of optimal string alignment).
func slips(a, b string) int {
	if len(a) > 64 {
		a = a[:64]
	}
	var before, last []int // rows of the table
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
