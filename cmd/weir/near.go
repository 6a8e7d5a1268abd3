package main

import (
	"strings"

	"weir/internal/host"
)

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
		n := host.Slips([]rune(typed), []rune(k))
		meant := n == 1 && len(typed) > 2 || typed != "" && k != "" && typed[0] == k[0] && n <= 1+len(typed)/4
		if meant && n < least {
			best, least = k, n
		}
	}
	return best
}
