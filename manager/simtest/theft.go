package simtest

import (
	"errors"
	mathrand "math/rand/v2"
	"time"

	"weir/internal/simnet"
	"weir/keys"
	"weir/ledger"
	"weir/ledger/store"
	"weir/ledger/wire"
	"weir/manager"
	"weir/member"
)

// theft is a world whose manager's directory was copied by a thief, who goes on
// publishing with its key, while the owner replaces the key by a succession. A
// seed is a run.
type theft struct {
	*World
	plan  *mathrand.Rand
	thief *Manager
	eve   *Member // whom the thief admits

	good  []ledger.Decided // the log that stands, by leaf
	void  map[*Member]map[uint64]bool
	root  wire.Hash
	lost  uint64 // entries of the thief's that became void
	count map[string]int
}

// Theft lives through one seed, and gives what happened.
func Theft(seed uint64) (Result, error) {
	link := simnet.Link{RTT: 90 * time.Millisecond, Jitter: 30 * time.Millisecond, Loss: 0.02}
	w := New(seed, Setup{Nodes: 24, Link: &link, Refresh: 15 * time.Minute, Follow: time.Minute})
	defer w.Close()
	t := &theft{World: w, plan: w.Sim.Stream("the theft"), void: map[*Member]map[uint64]bool{}, count: w.faults}
	t.play()
	return (&run{World: w}).result(0), w.Err()
}

func (t *theft) play() {
	t.Found(ManagerSetup{Cycle: time.Minute})
	for _, name := range []string{"ada", "bob", "cleo", "dan", "elif", "fay"} {
		t.Admit(name)
	}
	t.Reader("a reader")
	if !t.Settle(30 * time.Minute) {
		t.fail("the world comes to rest", "before the theft: %s", t.Resting())
		return
	}
	t.pay(3, 10*time.Minute)
	t.Settle(30 * time.Minute)
	if t.plan.IntN(2) == 0 { // what is under way when the directory is copied
		t.pay(3, 20*time.Second)
	}
	t.steal()
	t.pay(4+t.plan.IntN(8), time.Duration(20+t.plan.IntN(40))*time.Minute)
	t.lend()
	t.succeed()
	if t.broken != nil {
		return
	}
	t.must(t.Manager.On())
	for _, m := range t.Members {
		if _, ok := t.Manager.account(m.id.Public()); !ok { // its admission is void
			_, err := t.Manager.Desk().AdmitCode(wire.NewMemberCode(m.id, m.name), nil)
			t.must(err)
			t.count["a member is admitted again"]++
		}
	}
	t.pay(4+t.plan.IntN(6), time.Duration(30+t.plan.IntN(60))*time.Minute)
	for _, m := range t.machines {
		if !m.honest || m.gone {
			continue
		}
		m.CrashAt(0)
		if !m.on {
			t.must(m.On())
		}
	}
	if !t.Settle(6 * time.Hour) {
		t.fail("the world comes to rest", "after the succession: %s", t.Resting())
		return
	}
	t.thief.retire()
	t.stands()
	t.named()
	if t.broken == nil {
		t.Check()
	}
}

// pay has members pay each other, and the thief's friend, in the course of some
// time; disks lose their power meanwhile.
func (t *theft) pay(n int, over time.Duration) {
	for range n {
		t.Run(over / time.Duration(n))
		from, to := t.Members[t.plan.IntN(len(t.Members))], t.Members[t.plan.IntN(len(t.Members))]
		if t.eve != nil && t.plan.IntN(3) == 0 {
			to = t.eve
		}
		switch t.plan.IntN(6) {
		case 0:
			from.CrashAt(1 + t.plan.IntN(60))
			t.count["crash in a write"]++
		case 1:
			if from.on {
				from.Off()
				t.count["stop"]++
			}
		}
		if !from.on {
			from.CrashAt(0) // one that was planned is not to come while it starts
			t.must(from.On())
			continue
		}
		if from == to || from.Number() == 0 || t.account(to) == 0 {
			continue
		}
		_, err := from.Transfer(wire.Transfer{Postings: []wire.Posting{
			{Account: from.Number(), Amount: -5}, {Account: t.account(to), Amount: 5},
		}}, time.Time{})
		switch {
		case err == nil:
			t.count["payment"]++
		case from.lost() || errors.Is(err, errOff) || errors.Is(err, member.ErrNotAdmitted) || errors.Is(err, member.ErrReplaced):
		default:
			t.fail("a member can pay", "%s: %v", from.name, err)
		}
		if t.thief != nil && t.thief.on && t.eve == nil {
			t.admitEve()
		}
	}
}

// account is a member's as whoever merges now has it.
func (t *theft) account(m *Member) uint64 {
	for _, by := range []*Manager{t.thief, t.Manager} {
		if by == nil || !by.on {
			continue
		}
		if a, ok := by.account(m.id.Public()); ok {
			return a.Number
		}
	}
	return 0
}

// steal copies the manager's directory, switches it off, and has the thief go on.
func (t *theft) steal() {
	b := t.Manager.Backup()
	t.Split(t.watch.manager)
	t.thief = t.Twin(b.disk)
	t.thief.honest = false
	id := t.watch.id
	t.thief.blind = wire.MutableTarget(t.recovery.Public(), id.Salt())
	t.must(t.thief.On())
}

// admitEve has the thief admit a friend, and do what else a manager can.
func (t *theft) admitEve() {
	t.eve = t.member("eve", nil, t.identity("eve"), nil)
	t.eve.honest = false
	if _, err := t.thief.Desk().AdmitCode(wire.NewMemberCode(t.eve.id, "eve"), &wire.Limits{Lower: -5000, Upper: 90_000}); err != nil {
		t.count["the thief is held up"]++
		return
	}
	t.count["the thief admits a friend"]++
	if t.plan.IntN(2) == 0 {
		if _, err := t.thief.Desk().Suspend(1+t.plan.Uint64N(6), "pay me"); err == nil {
			t.count["the thief suspends a member"]++
		}
	}
	if t.plan.IntN(2) == 0 {
		robbed := 1 + t.plan.Uint64N(6)
		if _, err := t.thief.Desk().Rekey(robbed, wire.NewMemberCode(t.identity("a friend of eve's"), "mallory")); err == nil {
			t.count["the thief gives an account to another key"]++
		}
	}
}

// lend switches some members off, who hear of the succession late.
func (t *theft) lend() {
	for _, m := range t.Members {
		if t.plan.IntN(4) == 0 && m.on {
			m.Off()
			t.count["a member is away"]++
		}
	}
}

// succeed replaces the key on the manager's directory, whose disk may lose its
// power in any of its steps.
func (t *theft) succeed() {
	to, recovery := t.identity("the successor"), t.recovery
	disk := t.Manager.disk
	size := uint64(0)
	for try := 0; ; try++ {
		if try < 3 && t.plan.IntN(2) == 0 {
			disk.CrashAt(1 + t.plan.IntN(40))
		} else {
			disk.CrashAt(1 << 40)
		}
		err := t.attempt(disk, to, recovery, &size)
		if err == nil {
			break
		}
		if !errors.Is(err, store.ErrCrashed) && !errors.Is(err, store.ErrBroken) {
			t.fail("the owner can succeed", "%v", err)
			return
		}
		t.count["crash of a succession"]++
		disk = disk.Restart()
	}
	t.Manager.disk, t.Manager.id = disk.Restart(), to
	w := &t.watch
	w.stands = size
	if t.Manager.size > size {
		t.Manager.size, t.Manager.root = size, t.root
		w.walked, w.numbers = 1, map[uint64]uint64{}
	}
	for n := range w.roots {
		if n > size {
			delete(w.roots, n)
		}
	}
	for seq, c := range w.heads {
		if c.Size > size {
			delete(w.heads, seq)
		}
	}
	w.culprits[to.Public()] = true // what the thief signed is kept against whoever manages
	w.manager = to.Public()
}

func (t *theft) attempt(disk *store.Crashable, to, recovery *keys.Identity, size *uint64) (err error) {
	s, err := store.Open(disk, smallStore)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := s.Close(); err == nil {
			err = cerr
		}
	}()
	if *size == 0 {
		*size = s.State().Size
		if t.plan.IntN(3) == 0 { // the owner thinks that the key was stolen before
			*size -= 1 + t.plan.Uint64N(2)
			t.count["an earlier entry"]++
		}
		t.good = nil
		if err := s.Entries(1, func(d ledger.Decided) bool {
			t.good = append(t.good, d)
			return d.Index+1 < *size
		}); err != nil {
			return err
		}
	}
	signed, err := manager.SignSuccession(s, to, recovery, *size, nil, t.Sim.Now())
	if err != nil {
		return err
	}
	t.root = signed.Root
	t.foresee(*size)
	return manager.Succeed(s, to, signed, t.Sim.Random("nonces of the succession"), t.Sim.Now)
}

// foresee notes what every member has in a log that will be void.
func (t *theft) foresee(size uint64) {
	t.lost = 0
	if t.thief.size > size {
		t.lost = t.thief.size - size
	}
	for _, m := range t.Members {
		t.void[m] = map[uint64]bool{}
		if m.state == nil {
			continue
		}
		_ = m.store.Entries(size, func(d ledger.Decided) bool {
			if d.Entry.Account == m.Number() {
				t.void[m][d.Entry.Number] = true
			}
			return true
		})
	}
}

// stands: nothing that was acknowledged before the theft is lost.
func (t *theft) stands() {
	for _, want := range t.good {
		got, err := t.Manager.store.Entry(want.Index)
		if err != nil || got.Entry.Chain != want.Entry.Chain || got.Entry.Account != want.Entry.Account || got.Entry.Verdict != want.Entry.Verdict {
			t.fail("nothing acknowledged is lost", "entry %d: %v", want.Index, err)
			return
		}
	}
	if t.Manager.state.Terms().Newest().Size != t.watch.stands {
		t.fail("the succession stands where it was signed", "at %d", t.Manager.state.Terms().Newest().Size)
	}
	if t.eve != nil {
		if _, ok := t.Manager.state.ByKey(t.eve.id.Public()); ok {
			t.fail("what the thief signed is void", "eve has an account")
		}
	}
}

// named: what only void entries had answered has a verdict now, and its member is
// told.
func (t *theft) named() {
	for _, m := range t.Members {
		for number := range uint64(len(m.signed)) {
			r, err := m.Role.Desk().Result(number + 1)
			if err != nil || r.Outcome != member.Accepted && r.Outcome != member.Refused {
				t.fail("what was void comes back", "number %d of %s: %+v, %v", number+1, m.name, r, err)
				return
			}
			if t.void[m][number+1] {
				t.count["a void change"]++
				if r.Void == nil || r.Void.Index == 0 {
					t.fail("what was void is named", "number %d of %s: %+v", number+1, m.name, r)
					return
				}
			}
			if r.Verdict == wire.UnknownHistory {
				t.count["a change in view of the void"]++
				if r.Void == nil || !r.Void.Seen {
					t.fail("what was void is named", "number %d of %s is refused: %+v", number+1, m.name, r)
					return
				}
			}
		}
	}
	if t.lost > 0 {
		t.count["a log with void entries"]++
	}
}
