package host

import (
	"encoding/hex"
	"fmt"
	"strconv"

	"weir/keys"
	"weir/ledger"
	"weir/ledger/wire"
)

// findAccount finds an account by number, name, key or member code. Digits are a
// number and never a name: nobody is paid because of what they call themselves.
func findAccount(st *ledger.State, who string) (ledger.Account, error) {
	if ledger.IsNumber(who) {
		return findNumber(st, who)
	}
	if a, ok := st.ByName(who); ok {
		return a, nil
	}
	if a, ok := findKey(st, who); ok {
		return a, nil
	}
	if l, err := wire.ParseLink(who); err == nil {
		if c, ok := l.(wire.MemberCode); ok {
			if a, ok := st.ByKey(c.Key); ok && a.Number != 0 {
				return a, nil
			}
			return ledger.Account{}, fmt.Errorf("%w: the owner of this code is not a member here", ErrNotFound)
		}
	}
	return ledger.Account{}, fmt.Errorf("%w: no member is called %q in the log as it stands here", ErrNotFound, who)
}

func findNumber(st *ledger.State, who string) (ledger.Account, error) {
	n, err := strconv.ParseUint(who, 10, 64)
	if a, ok := st.Account(n); err == nil && ok && n != 0 {
		return a, nil
	}
	err = fmt.Errorf("%w: there is no account %s; there are 1 to %d", ErrNotFound, who, st.Members())
	if a, ok := st.ByName(who); ok {
		err = fmt.Errorf("%w. Digits mean an account's number; the member who is called %q has account %d", err, a.Name, a.Number)
	}
	return ledger.Account{}, err
}

func findKey(st *ledger.State, who string) (ledger.Account, bool) {
	k, err := keys.ParsePublic(who)
	if b, hexErr := hex.DecodeString(who); hexErr == nil && len(b) == len(k) {
		k, err = keys.Public(b), nil
	}
	if err != nil {
		return ledger.Account{}, false
	}
	a, ok := st.ByKey(k)
	return a, ok && a.Number != 0
}
