package host

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

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
	a, ok, maybe := byName(st, who)
	if ok {
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
	return ledger.Account{}, unnamed(who, maybe)
}

// unnamed says that nobody, or not only one, is called so, and who may be meant.
func unnamed(who string, maybe []NamedView) error {
	var texts []string
	same := 0
	for _, m := range maybe {
		texts = append(texts, m.text())
		if sameName(m.Name) == sameName(who) {
			same++
		}
	}
	switch {
	case same > 1:
		return fmt.Errorf("%w: several members are called %q, or nearly so; say the number of the one you mean: %s", ErrNotFound, who, strings.Join(texts, ", "))
	case len(maybe) > 0:
		return fmt.Errorf("%w: no member is called %q in the log as it stands here; did you mean %s?", ErrNotFound, who, strings.Join(texts, ", or "))
	}
	return fmt.Errorf("%w: no member is called %q in the log as it stands here", ErrNotFound, who)
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
