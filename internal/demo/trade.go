package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"weir/internal/host"
	"weir/ledger"
)

// payment is one of an honest member that must end up in the log, accepted.
type payment struct {
	agent  int
	number uint64
}

// lateCycles is how many more cycles are run for what came too late for its own.
const lateCycles = 3

// trade runs the cycles: before each, every honest member pays another one and
// every hostile one does what it does.
func (r *run) trade() error {
	for n := range r.Cycles {
		first := len(r.sent)
		if err := r.pay(); err != nil {
			return err
		}
		for _, h := range r.hostile {
			if err := h.act(h, r.ctx, n); err != nil {
				return fmt.Errorf("%s: %w", h.name, err)
			}
		}
		for _, s := range r.sent[first:] {
			if err := r.agents[s.agent].Wait(r.ctx, "member wait", host.WaitIn{Number: s.number, Seen: true}, setup); err != nil {
				return err
			}
		}
		if err := r.show(); err != nil {
			return err
		}
		// The next mischief takes the place of this one in the DHT.
		want := refusals(n + 1)
		for tries := 0; r.summary.Refused < want && tries < lateCycles; tries++ {
			if err := r.show(); err != nil {
				return err
			}
		}
		if r.summary.Refused != want {
			return fmt.Errorf("the manager refused %d changes in the first %d rounds, not the %d that hostile members sent", r.summary.Refused, n+1, want)
		}
	}
	return nil
}

// pay lets every honest member pay another one.
func (r *run) pay() error {
	step, amounts := r.round()
	for i, a := range r.agents {
		in := host.QuoteIn{
			To: memberName((i + step) % len(r.agents)), Amount: ledger.FormatAmount(amounts[i], scale),
			Memo: thanks[r.choose.IntN(len(thanks))],
		}
		var v host.ChangeView
		if err := invoke(r.ctx, a.Invoke, "member pay", in, &v); err != nil {
			return fmt.Errorf("%s: %w", memberName(i), err)
		}
		r.sent = append(r.sent, payment{i, v.Number})
	}
	return nil
}

// round chooses who pays whom how much: each of the honest once, the one step
// places further on, so that each is also paid once. Who is low pays the least
// there is, and so gets no lower in however many rounds.
func (r *run) round() (step int, amounts []int64) {
	const least, low = 1_00, lower / 2
	n := len(r.balance)
	step, amounts = 1+r.choose.IntN(n-1), make([]int64, n)
	for i := range amounts {
		amounts[i] = int64(least + r.choose.IntN(9_00))
		if r.balance[i] < low {
			amounts[i] = least
		}
	}
	for i, a := range amounts {
		r.balance[i] -= a
		r.balance[(i+step)%n] += a
	}
	return step, amounts
}

// show runs a cycle and tells of it.
func (r *run) show() error {
	rep, err := r.cycle()
	if err != nil {
		return err
	}
	r.summary.Cycles++
	v := host.ViewCycle(rep, scale)
	v.Cycle = uint64(r.summary.Cycles)
	r.summary.Accepted += v.Accepted
	r.summary.Refused += v.Refused
	r.summary.Sum = v.Sum
	r.Cycle(v)
	if v.Sum != "0.00" {
		return fmt.Errorf("the sum of all balances is %s", v.Sum)
	}
	return nil
}

// settle waits until every honest payment is in the log, and sees that it was
// accepted.
func (r *run) settle() error {
	for _, s := range r.sent {
		v, err := r.decided(s)
		for tries := 0; errors.Is(err, context.DeadlineExceeded) && r.ctx.Err() == nil && tries < lateCycles; tries++ {
			if err := r.show(); err != nil { // a payment came too late for the last cycle
				return err
			}
			v, err = r.decided(s)
		}
		if err == nil && v.State != "accepted" {
			err = fmt.Errorf("%s: %s", v.State, v.Reason)
		}
		if err != nil {
			return fmt.Errorf("payment %d of %s: %w", s.number, memberName(s.agent), err)
		}
	}
	return nil
}

// decided waits for what became of a payment.
func (r *run) decided(s payment) (v host.ChangeView, err error) {
	ctx, cancel := context.WithTimeout(r.ctx, 10*time.Second)
	defer cancel()
	err = invoke(ctx, r.agents[s.agent].Invoke, "member wait", host.WaitIn{Number: s.number}, &v)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return v, err
}
