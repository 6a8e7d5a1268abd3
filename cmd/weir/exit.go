package main

import (
	"fmt"
	"strings"

	"weir/internal/host"
)

// exit is one of the numbers that the program ends with.
type exit struct {
	code    int
	meaning string
}

// exitCodes are all of them, in order: scripts rely on them.
func exitCodes() []exit {
	return []exit{
		{0, "done; also what runs until it is interrupted, and was"},
		{host.CodeError, "it did not work; the message says why"},
		{host.CodeUsage, "called wrongly: an unknown command or flag, an argument too many or too few, or a value or link that does not read"},
		{host.CodePart, "done in part: as far as it went it is kept, and the message says what is missing"},
		{host.CodeNotInitialised, "nothing is set up in this directory yet"},
		{host.CodeLocked, "another weir runs on this database, or on the databases that were joined in this directory"},
		{host.CodePassphrase, "wrong or missing passphrase, or the key is not the one of this database"},
		{host.CodeNotFound, "there is no such member, change, invitation or database"},
		{host.CodeRefused, "refused by the rules, or it would be"},
		{host.CodeNoNode, "no DHT node answered; the message lists the addresses that were tried"},
		{host.CodeNotVerified, "what was found does not verify"},
		{host.CodeUnwell, "weir doctor found something that is not well and was not put right"},
		{host.CodeInterrupted, "interrupted before it was done"},
	}
}

// exitHelp is the list as weir --help prints it.
func exitHelp() string {
	var b strings.Builder
	b.WriteString("Exit codes:\n")
	for _, e := range exitCodes() {
		fmt.Fprintf(&b, "%4d  %s\n", e.code, e.meaning)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
