package ledger

import (
	"slices"
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

	// What the account had before: it stays its own for ever.
	Rekeyed     uint64 // Last when its key was replaced: later numbers are Key's; 0: numbers from 1 on
	FormerKeys  string // publish keys, 32 bytes each, oldest first
	FormerNames string // names, each behind its length in one byte, oldest first

	// Quota, derived from its entries alone (quota.go). Zero for account 0.
	Day      int64 // Unix day of its newest entry
	DayCount int   // its entries on that day
	Refused  int   // refusals in a row, up to its newest entry
	NotUntil int64 // Unix ms before which its next change is not taken; 0: at once
}

// Keys is the keys that signed for the account, oldest first, and the one that does.
func (a *Account) Keys() []keys.Public { return append(a.formerKeys(), a.Key) }

// formerKeys is the keys that signed for the account before, oldest first.
func (a *Account) formerKeys() (all []keys.Public) {
	for b := a.FormerKeys; len(b) >= len(keys.Public{}); b = b[len(keys.Public{}):] {
		all = append(all, keys.Public([]byte(b[:len(keys.Public{})])))
	}
	return all
}

// EarlierNames is what the account was called before, oldest first.
func (a *Account) EarlierNames() (all []string) {
	for b := a.FormerNames; len(b) > 0 && int(b[0]) < len(b); b = b[1+int(b[0]):] {
		all = append(all, b[1:1+int(b[0])])
	}
	return all
}

// rename gives the account another name, and keeps the one it had.
func (a *Account) rename(name string) {
	if name != a.Name && !slices.Contains(a.EarlierNames(), a.Name) {
		a.FormerNames += string(rune(len(a.Name))) + a.Name // at most 32 bytes: one of UTF-8
	}
	a.Name = name
}

// rekey gives the account other keys, and keeps the one that signed.
func (a *Account) rekey(k keys.Public, seal keys.SealPublic) {
	a.FormerKeys += string(a.Key[:])
	a.Key, a.Seal, a.Rekeyed = k, seal, a.Last
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
