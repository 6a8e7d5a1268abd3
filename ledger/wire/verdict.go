package wire

import "fmt"

// Verdict is the manager's decision on a change. The refusals stand in their
// order of precedence: the first that holds is the verdict.
type Verdict uint8

const (
	Applied            Verdict = iota
	Expired                    // the batch is later than the change's until
	UnknownHistory             // what the change has seen is not in this log
	UnknownKind                // a kind of a later version
	MalformedArguments         // the arguments are not the kind's
	Suspended                  // the signer's account is suspended
	NotPermitted               // the signer may not do this
	Unbalanced                 // postings do not sum to zero, repeat an account, or are zero
	UnknownAccount             // an account that is not there
	KeyInUse                   // the key of another account
	NameInUse                  // the name of another account
	InvalidLimits              // limits without zero between them
	BelowLowerLimit            // an account would fall below its lower limit
	AboveUpperLimit            // an account would rise above its upper limit
	verdicts
)

var verdictNames = [verdicts]string{
	"applied", "expired", "unknown_history", "unknown_kind", "malformed_arguments",
	"suspended", "not_permitted", "unbalanced", "unknown_account", "key_in_use",
	"name_in_use", "invalid_limits", "below_lower_limit", "above_upper_limit",
}

// String is the verdict's stable word: applied, expired, unknown_history ...
func (v Verdict) String() string {
	if v >= verdicts {
		return fmt.Sprintf("verdict(%d)", uint8(v))
	}
	return verdictNames[v]
}

// ParseVerdict reads what String wrote.
func ParseVerdict(s string) (Verdict, error) {
	for i, name := range verdictNames {
		if name == s {
			return Verdict(i), nil
		}
	}
	return 0, fmt.Errorf("no verdict is called %.32q", s)
}
