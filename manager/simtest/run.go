package simtest

import (
	"fmt"
	"math/rand/v2"
	"time"

	"weir/ledger/wire"
)

// Options shape a Run; zero fields take the defaults named.
type Options struct {
	Members  int           // honest ones: 20
	Readers  int           // 2
	Nodes    int           // DHT nodes: 40
	Payments float64       // of a member and hour: 33; many come in bursts
	Time     time.Duration // with troubles and payments: 1 h
	Rest     time.Duration // at most, from their end until everything is at rest: 2 h
	Cycle    time.Duration // of the manager: 30 s
	Follow   time.Duration // from one look at the head to the next: Cycle
	Calm     bool          // no troubles, nobody hostile
}

func (o Options) withDefaults() Options {
	for _, f := range []struct {
		v   *int
		def int
	}{{&o.Members, 20}, {&o.Readers, 2}, {&o.Nodes, 40}} {
		if *f.v <= 0 {
			*f.v = f.def
		}
	}
	for _, f := range []struct {
		v   *time.Duration
		def time.Duration
	}{{&o.Time, time.Hour}, {&o.Rest, 2 * time.Hour}, {&o.Cycle, 30 * time.Second}} {
		if *f.v <= 0 {
			*f.v = f.def
		}
	}
	if o.Payments <= 0 {
		o.Payments = 33
	}
	if o.Follow <= 0 {
		o.Follow = o.Cycle
	}
	return o
}

// Day is a day in the life of a neighbourhood: each of 200 members pays twice,
// and everything goes wrong that may.
func Day() Options {
	return Options{
		Members: 200, Nodes: 100, Payments: 2. / 24,
		Time: 24 * time.Hour, Rest: 6 * time.Hour, Cycle: time.Minute, Follow: 2 * time.Minute,
	}
}

// Result is what a run came to.
type Result struct {
	Seed     uint64
	Hash     uint64 // of everything that happened
	Root     wire.Hash
	LogSize  uint64
	Accepted uint64
	Refused  uint64
	Signed   int            // changes of honest members
	Lives    int            // starts of machines
	Crashes  map[string]int // what the disk was at when the power went → how often
	Faults   map[string]int // what went wrong → how often; of links and clocks, how often they changed
	Packets  uint64
	Events   uint64
	Rest     time.Duration // from the end of the troubles until everything was at rest
	Checks   uint64        // of signatures
	Computed uint64        // of them, not remembered
}

// String is the result on one line.
func (r Result) String() string {
	crashes := 0
	for _, n := range r.Crashes {
		crashes += n
	}
	return fmt.Sprintf("seed %d: hash %016x, %d changes signed, %d accepted and %d refused, %d lives with %d power losses, %d packets, at rest after %s",
		r.Seed, r.Hash, r.Signed, r.Accepted, r.Refused, r.Lives, crashes, r.Packets, r.Rest)
}

// Run lives through one seed. The error is the first thing seen that must
// never be; the result then says how far it came.
func Run(seed uint64, o Options) (Result, error) {
	o = o.withDefaults()
	w := New(seed, Setup{Nodes: o.Nodes, Follow: o.Follow, Refresh: time.Minute})
	defer w.Close()
	r := &run{World: w, options: o, plan: w.Sim.Stream("payments")}
	r.gather()
	t := &troubles{World: w, draw: w.Sim.Stream("troubles")}
	if !o.Calm {
		r.careless()
		r.within(1, 2, r.backup)
		t.begin(o.Time)
		r.rogues()
	}
	r.pay()
	w.Run(o.Time)
	r.over = true
	t.end()
	at := w.Sim.Elapsed()
	w.Settle(o.Rest)
	rest := w.Sim.Elapsed() - at
	err := w.Check()
	if err == nil && !o.Calm {
		err = r.end()
	}
	return r.result(rest), err
}

// run is one Run under way.
type run struct {
	*World
	options Options
	plan    *rand.Rand
	over    bool
	memos   int
	old     *Backup // of the manager's disk; nil: none was made
}

// invited is how many members come by invitation at most.
const invited = 10

// gather makes the manager, most of the members and the readers at once; half of
// the first few come by invitation within the first half of the time.
func (r *run) gather() {
	// Limits that nobody meets by chance: each further refusal in a row doubles
	// the time until the next change is taken.
	r.Found(ManagerSetup{Cycle: r.options.Cycle, Limits: wire.Limits{Lower: -overspent + 1, Upper: 1 << 40}})
	for i := range r.options.Members {
		name := fmt.Sprintf("member %d", i+1)
		if i%2 == 0 || i > 2*invited {
			r.Admit(name)
			continue
		}
		r.Sim.After(time.Duration(r.plan.Int64N(int64(r.options.Time/2))), func() { r.invite(name) })
	}
	for i := range r.options.Readers {
		r.Reader(fmt.Sprintf("reader %d", i+1))
	}
}

// invite makes a member by invitation; while the manager cannot, it is tried
// again.
func (r *run) invite(name string) {
	if r.broken != nil {
		return
	}
	m, err := r.Invite(name, 24*time.Hour)
	if err != nil {
		r.Sim.After(10*time.Second, func() { r.invite(name) })
		return
	}
	r.payments(m)
}

// pay plans what the members pay who are there from the start.
func (r *run) pay() {
	for _, m := range r.Members {
		r.payments(m)
	}
}

// payments plans the next payment of a member, and so on.
func (r *run) payments(m *Member) {
	wait := time.Duration(r.plan.ExpFloat64() * burstMean / r.options.Payments * float64(time.Hour))
	r.Sim.After(wait, func() {
		if r.over || r.broken != nil {
			return
		}
		burst := 1
		if r.plan.IntN(10) == 0 {
			burst = 2 + r.plan.IntN(12) // see burstMean
		}
		for range burst {
			r.payment(m)
		}
		r.payments(m)
	})
}

// burstMean is how many payments come at once, on average.
const burstMean = 0.9 + 0.1*7.5

// payment is one, if the member can: usually to one other, now and then to up
// to 63, now and then of more than it may, and now and then with an end.
func (r *run) payment(m *Member) {
	others := 1
	if r.plan.IntN(12) == 0 {
		others = 2 + r.plan.IntN(62)
	}
	amount, draw := 1+r.plan.Int64N(400), r.plan.Uint64()
	until := time.Time{}
	if r.plan.IntN(15) == 0 {
		until = r.Sim.Now().Add(time.Duration(r.plan.Int64N(int64(2 * time.Minute))))
	}
	overspend := r.plan.IntN(12) == 0
	if !m.on || m.Number() == 0 {
		return
	}
	if overspend {
		amount = 2 * overspent
	}
	r.memos++
	if _, err := m.Transfer(wire.Transfer{Postings: r.postings(m, others, amount, draw), Memo: fmt.Sprintf("payment %d", r.memos)}, until); err != nil && !m.lost() && !m.mayRefuse(err) {
		r.fail("a member can pay", "%s: %v", m.name, err)
	}
}

// overspent is what nobody may owe.
const overspent = 10_000_000

// postings takes an amount for each of some other accounts that the member
// knows of.
func (r *run) postings(m *Member, others int, amount int64, draw uint64) []wire.Posting {
	own, all := m.Number(), uint64(m.state.Members())
	p := []wire.Posting{{Account: own}}
	for i := range min(uint64(others), all-1) {
		to := (own-1+1+(draw+i)%(all-1))%all + 1
		p = append(p, wire.Posting{Account: to, Amount: amount})
		p[0].Amount -= amount
	}
	if len(p) == 1 { // nobody else is known yet
		p = append(p, wire.Posting{Account: own + 1, Amount: amount})
		p[0].Amount = -amount
	}
	return p
}

func (r *run) result(rest time.Duration) Result {
	out := Result{
		Seed: r.Seed, Hash: r.Hash(), LogSize: r.Manager.size, Root: r.Manager.root, Lives: r.lives(), Crashes: r.crashes(),
		Faults: r.faults, Packets: r.Net.Stats().Sent, Events: r.Sim.Events(), Rest: rest,
		Checks: r.remember.Asked, Computed: r.remember.Computed,
	}
	if st := r.Manager.state; st != nil {
		out.Accepted, out.Refused = st.Accepted, st.Refused
	}
	for _, m := range r.Members {
		out.Signed += len(m.signed)
	}
	return out
}
