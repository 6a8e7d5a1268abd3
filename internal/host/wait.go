package host

import (
	"context"
	"time"

	"weir/member"
)

// solitude watches, while somebody waits, whether any DHT node answers.
type solitude struct {
	since    time.Time
	patience time.Duration // 0: without end
	looked   bool
}

// newSolitude begins to watch; it ends after so many seconds without an answer.
func newSolitude(seconds int) *solitude {
	return &solitude{since: time.Now(), patience: time.Duration(seconds) * time.Second}
}

// over gives lookup.ErrNoNodes once no DHT node has answered in all the time. An agent that
// runs may have no reason to ask one: it is made to, when half of the time is over.
func (w *solitude) over(a *Agent, s *seat) error {
	if w.patience <= 0 || s.role == nil {
		return nil
	}
	if st := s.role.Status(); st.Phase == member.Stopped || st.Checked.After(w.since) {
		return nil
	}
	alone := time.Since(w.since)
	if alone >= w.patience/2 && !w.looked {
		w.looked = true
		s.role.Kick()
	}
	if alone < w.patience {
		return nil
	}
	return a.edges.NoNode()
}

// WaitIn waits for a change to be in the log, or only at DHT nodes. Patience
// bounds the time without any answer from the DHT; 0: none.
type WaitIn struct {
	Number   uint64 `json:"number"`
	Seen     bool   `json:"seen"`
	Patience int    `json:"patience_seconds,omitempty"`
}

func (a *Agent) wait(ctx context.Context, r Request) (any, error) {
	in, err := read[WaitIn](r.In)
	if err != nil {
		return nil, err
	}
	alone, eager := newSolitude(in.Patience), eagerness{}
	return a.until(ctx, r.DB, func(s *seat) (any, bool, error) {
		d, err := s.books()
		if err != nil {
			return nil, false, err
		}
		res, err := d.Result(in.Number)
		if err != nil {
			return nil, false, err
		}
		done := res.Outcome == member.Accepted || res.Outcome == member.Refused || in.Seen && res.Outcome == member.Seen
		if !done {
			err = alone.over(a, s)
			if res.Outcome == member.Seen && s.role != nil && a.cfg.Network.Thrift.Metered && eager.due(time.Now()) {
				s.role.Kick()
			}
		}
		return viewChange(d.Store.State(), res), done, err
	})
}

// eagerness is for whoever waits at an agent that looks rarely: soon after what they
// wait for can be there, and then ever more seldom.
type eagerness struct {
	next  time.Time
	pause time.Duration
}

const eagerFirst, eagerMax = 2 * time.Second, time.Minute

// due says whether to look now.
func (e *eagerness) due(now time.Time) bool {
	if e.pause == 0 {
		e.pause, e.next = eagerFirst, now.Add(eagerFirst)
		return false
	}
	if now.Before(e.next) {
		return false
	}
	e.pause = min(2*e.pause, eagerMax)
	e.next = now.Add(e.pause)
	return true
}

// FreshIn waits until the log here is that of the newest head there is.
// Patience is as in WaitIn.
type FreshIn struct {
	Again    bool `json:"again,omitempty"` // look once more: what came a moment ago matters
	Patience int  `json:"patience_seconds,omitempty"`
}

func (a *Agent) fresh(ctx context.Context, r Request) (any, error) {
	in, err := read[FreshIn](r.In)
	if err != nil {
		return nil, err
	}
	alone, kicked := newSolitude(in.Patience), false
	return a.until(ctx, r.DB, func(s *seat) (any, bool, error) {
		if s.role == nil {
			return nil, true, nil
		}
		if in.Again && !kicked {
			kicked = true
			s.role.Kick()
		}
		st := s.role.Status()
		looked := !st.Checked.IsZero() && (!in.Again || st.Checked.After(alone.since))
		done := looked && st.Phase == member.Current || st.Phase == member.Stopped
		if done {
			return nil, true, nil
		}
		return nil, false, alone.over(a, s)
	})
}
