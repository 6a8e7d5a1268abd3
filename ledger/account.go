package ledger

import (
	"strings"
	"unicode"

	"weir/keys"
	"weir/ledger/wire"
)

// managerAccount is the manager's own: it has no balance, and signs the acts.
const managerAccount = 0

// Account is one account's whole state. Account 0 is the manager: it has no
// balance, its numbered acts admit, limit, suspend and resume the others.
type Account struct {
	Number    uint64
	Key       keys.Public
	Seal      keys.SealPublic
	Name      string
	Limits    wire.Limits
	Balance   int64 // minor units
	Suspended bool
	Last      uint64    // number of its newest entry; 0: none yet
	Chain     wire.Hash // h of that number
	Admitted  int64     // Unix ms

	// Quota, derived from its entries alone (quota.go). Zero for account 0.
	Day      int64 // Unix day of its newest entry
	DayCount int   // its entries on that day
	Refused  int   // refusals in a row, up to its newest entry
	NotUntil int64 // Unix ms before which its next change is not taken; 0: at once
}

// IsNumber says whether a text has digits, of any script, and nothing else: as a
// name it would be taken for an account's number. No verdict depends on it, so a
// log may have such a name; whoever asks for one, admits or looks one up looks
// here first.
func IsNumber(text string) bool {
	other := func(c rune) bool { return !unicode.IsNumber(c) }
	return text != "" && strings.IndexFunc(text, other) < 0
}

// foldName is the form in which names are compared. Only A-Z fold: tables of
// Unicode grow with its versions, and two readers with different tables would
// disagree on a verdict.
func foldName(name string) string {
	for i := range len(name) {
		if c := name[i]; 'A' <= c && c <= 'Z' {
			b := []byte(name)
			for ; i < len(b); i++ {
				if c := b[i]; 'A' <= c && c <= 'Z' {
					b[i] = c + 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return name
}
