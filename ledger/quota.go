package ledger

const (
	dayMillis         = 24 * 60 * 60 * 1000
	refusalDelayFirst = 10 * 1000 // after one refusal; doubles with each further one
	refusalDelayMax   = dayMillis
)

// A member may have charter.Quota entries a UTC day. After r refusals in a row
// its next change is not taken before the last one's time + 10 s · 2^(r-1), at
// most a day; an applied one ends that. What is over quota is not refused: it
// stays in its outbox and makes no entry, and so cannot bloat anybody's copy.
// Account 0 has no quota.
//
// Where a succession made history void, members whose changes had seen it cannot
// help being refused as unknown_history, one number after the other: that counts
// as an entry of the day, and neither as a refusal nor as the end of any.

// NotBefore is the Unix ms before which the account's next change would not be
// taken, seen from now: now itself when it would be at once. Quota is the
// charter's.
func (a *Account) NotBefore(now int64, quota int) int64 {
	if a.Number == managerAccount {
		return now
	}
	at := max(now, a.NotUntil)
	if a.Day == day(at) && a.DayCount >= quota {
		at = (a.Day + 1) * dayMillis
	}
	return at
}

// count books an entry of the account at a batch's time; blameless: it was
// refused since a succession made void what it had seen.
func (a *Account) count(time int64, applied, blameless bool) {
	if a.Number == managerAccount {
		return
	}
	if d := day(time); a.Day != d {
		a.Day, a.DayCount = d, 0
	}
	a.DayCount++
	switch {
	case blameless:
		return
	case applied:
		a.Refused, a.NotUntil = 0, 0
		return
	}
	a.Refused++
	a.NotUntil = time + refusalDelay(a.Refused)
}

// refusalDelay is how long after so many refusals in a row nothing is taken.
func refusalDelay(refused int) int64 {
	delay := int64(refusalDelayFirst)
	for ; refused > 1 && delay < refusalDelayMax; refused-- {
		delay *= 2
	}
	return min(delay, refusalDelayMax)
}

func day(time int64) int64 { return time / dayMillis }
