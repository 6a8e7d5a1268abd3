package host

import "weir/ledger/wire"

// KindOf says what kind of link something is that wire.ParseLink gave, and what is
// done with one.
func KindOf(l any) (kind, use string) {
	switch l.(type) {
	case wire.Invitation:
		return "an invitation", "whoever it is for joins by it with weir member join"
	case wire.DatabaseLink:
		return "a database's public link", "it is for reading, with weir member join, and for checking, with weir verify"
	case wire.MemberCode:
		return "a member code", "the manager admits its owner with weir manager admit"
	case wire.Answer:
		return "an answer code", "the member it was made for joins by it with weir member join"
	}
	return "another link", "see weir --help"
}

// otherKind is an error for a link that is whole and of another kind than wanted.
func otherKind(l any, wanted, from string) error {
	kind, use := KindOf(l)
	return misread("this is %s, and %s is wanted here: %s. With %s, %s", kind, wanted, from, kind, use)
}
