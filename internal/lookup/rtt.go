package lookup

import "time"

// rtt estimates how long to wait for an answer, as TCP does (RFC 6298): the
// smoothed round-trip time and four times its mean deviation. Answers are told apart by
// the try they belong to, so retransmitted queries are measured too.
type rtt struct {
	ceiling   time.Duration
	smoothed  time.Duration
	deviation time.Duration
	measured  bool
}

func (r *rtt) sample(d time.Duration) {
	d = max(d, 0)
	if !r.measured {
		r.smoothed, r.deviation, r.measured = d, d/2, true
		return
	}
	r.deviation += ((r.smoothed - d).Abs() - r.deviation) / 4
	r.smoothed += (d - r.smoothed) / 8
}

// timeout is how long to wait for an answer to a query that was sent before
// tries times: twice as long each time, up to the ceiling.
func (r *rtt) timeout(tries int) time.Duration {
	if !r.measured {
		return r.ceiling
	}
	d := max(r.smoothed+4*r.deviation, timeoutMin)
	for range tries {
		d *= 2
		if d >= r.ceiling {
			break
		}
	}
	return min(d, r.ceiling)
}

// hedge is when to ask somebody else beside a node that has not answered: after
// twice the round-trip time, or when hardly any answer still comes.
func (r *rtt) hedge() time.Duration {
	if !r.measured {
		return r.ceiling / 4
	}
	return min(max(2*r.smoothed, r.smoothed+4*r.deviation, hedgeMin), r.ceiling)
}
