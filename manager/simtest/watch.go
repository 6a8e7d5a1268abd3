package simtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"

	"weir/internal/lookup"
	"weir/keys"
	"weir/ledger"
	"weir/ledger/wire"
	"weir/member"
)

// watch is what the world knows without asking anybody: what was signed, put
// and committed.
type watch struct {
	id      wire.ID
	manager keys.Public

	roots   map[uint64]wire.Hash          // log size → the root that the first log to get there had
	heads   map[int64]wire.Checkpoint     // seq → what the manager put under it
	seqs    map[slot][sha256.Size]byte    // value that was put under a seq
	signed  map[keys.Public][][]wire.Hash // chains that a key signed, by number, from 1 on
	numbers map[uint64]uint64             // account → number of its newest entry in the manager's log
	walked  uint64                        // leaves of the manager's log that were looked at

	invitations map[string]bool      // that the manager's disk took
	culprits    map[keys.Public]bool // who signed one number twice, on purpose or on two devices
	split       map[keys.Public]bool // keys that two machines have, or one that was set back: see Split
	stands      uint64               // leaves, up to which a succession has logs taken back; 0: there was none
}

type slot struct {
	target wire.Target
	seq    int64
}

func newWatch() watch {
	return watch{
		roots: map[uint64]wire.Hash{}, heads: map[int64]wire.Checkpoint{}, seqs: map[slot][sha256.Size]byte{},
		signed: map[keys.Public][][]wire.Hash{}, numbers: map[uint64]uint64{}, walked: 1,
		invitations: map[string]bool{}, culprits: map[keys.Public]bool{}, split: map[keys.Public]bool{},
	}
}

// Split says that from now on two machines have a key, or one that was set back
// to an old copy of its disk: what is put under it may differ, and when it is the
// manager's, what their logs hold.
func (w *World) Split(k keys.Public) { w.watch.split[k], w.watch.culprits[k] = true, true }

// grown looks at a log that is longer than before.
func (w *World) grown(m *machine) {
	st := m.state
	if st.Size < m.size && w.takenBack(m) {
		if m == w.Manager.machine {
			w.watch.walked, w.watch.numbers = 1, map[uint64]uint64{}
		}
	} else if st.Size < m.size {
		w.fail("a log only grows", "that of %s went from %d entries to %d", m.name, m.size, st.Size)
	}
	w.balanced(m)
	void := w.watch.stands > 0 && st.Size > w.watch.stands && st.Terms().Newest().Manager != w.watch.manager // it has not heard yet
	if m.honest && !void && !w.watch.split[w.watch.manager] {
		if root, ok := w.watch.roots[st.Size]; !ok {
			w.watch.roots[st.Size] = st.Root
		} else if root != st.Root {
			w.fail("one log", "at %d entries %s has the root %s, another had %s", st.Size, m.name, st.Root, root)
		}
	}
	if w.Manager != nil && m == w.Manager.machine {
		w.entries(m)
	}
	m.size, m.root = st.Size, st.Root
	w.Sim.Note(binary.BigEndian.AppendUint64(append([]byte(m.name), st.Root[:]...), st.Size))
}

// takenBack says whether a log is shorter than it was because a succession made
// its end void.
func (w *World) takenBack(m *machine) bool {
	return w.watch.stands > 0 && m.state.Size == w.watch.stands && m.size > w.watch.stands
}

// balanced adds the balances up.
func (w *World) balanced(m *machine) {
	sum := int64(0)
	for n := range uint64(m.state.Members()) + 1 {
		a, _ := m.state.Account(n)
		sum += a.Balance
	}
	if sum != 0 || m.state.Sum() != 0 {
		w.fail("the sum is zero", "that of %s is %d, and it says %d", m.name, sum, m.state.Sum())
	}
}

// entries looks at what is new in the manager's log.
func (w *World) entries(m *machine) {
	err := m.store.Entries(w.watch.walked, func(d ledger.Decided) bool {
		w.watch.walked++
		e := &d.Entry
		last := w.watch.numbers[e.Account]
		if e.Number != last+1 {
			w.fail("numbers are in order", "entry %d is number %d of account %d, after number %d", d.Index, e.Number, e.Account, last)
		}
		w.watch.numbers[e.Account] = e.Number
		a, ok := m.state.Account(e.Account)
		if !ok {
			w.fail("accounts exist", "entry %d is of account %d", d.Index, e.Account)
			return false
		}
		if e.Account != 0 && !w.isSigned(a.Key, e.Number, e.Chain) {
			w.fail("no entry that nobody signed", "entry %d, number %d of account %d (%s)", d.Index, e.Number, e.Account, a.Name)
		}
		return w.broken == nil
	})
	if err != nil && !m.lost() {
		w.fail("a log can be read", "%s: %v", m.name, err)
	}
}

// sign notes that a key signed a change with a number.
func (w *World) sign(k keys.Public, number uint64, chain wire.Hash) {
	all := w.watch.signed[k]
	for uint64(len(all)) < number {
		all = append(all, nil)
	}
	if !slices.Contains(all[number-1], chain) {
		all[number-1] = append(all[number-1], chain)
	}
	w.watch.signed[k] = all
}

func (w *World) isSigned(k keys.Public, number uint64, chain wire.Hash) bool {
	all := w.watch.signed[k]
	if number == 0 || number > uint64(len(all)) {
		return false
	}
	for _, c := range all[number-1] {
		if c == chain {
			return true
		}
	}
	return false
}

// puts looks at an item that one of our roles puts.
func (w *World) puts(m *machine, it lookup.Item) {
	if !it.Mutable || w.watch.split[it.Key] {
		return
	}
	at, value := slot{it.Target, it.Seq}, sha256.Sum256(it.Value)
	before, known := w.watch.seqs[at]
	if known && before != value {
		w.fail("one value a seq", "%s puts another value at %s under seq %d than was put before", m.name, it.Target, it.Seq)
	}
	if known {
		return
	}
	w.watch.seqs[at] = value
	w.Sim.Note(value[:])
	if it.Key == w.watch.manager && bytes.Equal(it.Salt, w.watch.id.Salt()) {
		w.head(m, it)
	}
}

// head looks at a head that nobody has put before.
func (w *World) head(m *machine, it lookup.Item) {
	h, err := wire.ParseHead(it.Value)
	if err != nil {
		w.fail("heads are heads", "%s puts one that does not read: %v", m.name, err)
		return
	}
	if m != w.Manager.machine {
		w.fail("heads are the manager's", "%s puts one of %d entries that the manager never put", m.name, h.Checkpoint.Size)
		return
	}
	root, err := m.store.RootAt(h.Checkpoint.Size)
	if err != nil || root != h.Checkpoint.Root {
		w.fail("heads agree with the log", "the head of %d entries has the root %s, the log %s (%v)", h.Checkpoint.Size, h.Checkpoint.Root, root, err)
	}
	w.watch.heads[it.Seq] = h.Checkpoint
}

// reopened looks at a log that a new life has opened.
func (w *World) reopened(m *machine) {
	if m.size == 0 {
		return
	}
	if m.state.Size < m.size && w.takenBack(m) {
		m.look()
	}
	if m.state.Size < m.size {
		w.fail("nothing acknowledged is lost", "the log of %s had %d entries, and has %d after a restart", m.name, m.size, m.state.Size)
		return
	}
	if root, err := m.store.RootAt(m.size); err != nil || root != m.root {
		w.fail("nothing acknowledged is lost", "the log of %s had the root %s at %d entries, and has %s after a restart (%v)", m.name, m.root, m.size, root, err)
	}
}

// signed is a change that a member signed.
type signed struct {
	change []byte
	chain  wire.Hash
}

// sign notes a change that the member's disk has taken.
func (m *Member) sign(number uint64, c *wire.Change) {
	b, err := c.Encode()
	if err != nil || number != uint64(len(m.signed))+1 {
		m.world.fail("numbers are in order", "%s signs number %d after %d (%v)", m.name, number, len(m.signed), err)
		return
	}
	var before wire.Hash
	if n := len(m.signed); n > 0 {
		before = m.signed[n-1].chain
	}
	s := signed{change: b, chain: wire.ChainNext(before, b)}
	m.signed = append(m.signed, s)
	m.world.sign(m.id.Public(), number, s.chain)
}

// remembered compares what waits on a member's disk, at the start of a life,
// with what it had acknowledged.
func (w *World) remembered(m *Member) {
	attempt := m.attempt
	m.attempt = nil
	if m.Role.Desk() == nil {
		return
	}
	if w.watch.split[m.id.Public()] {
		// Its disk may have taken a change before the power went.
		if err := m.resign(); err != nil && !m.mayRefuse(err) && !errors.Is(err, member.ErrNotAdmitted) && !errors.Is(err, member.ErrReplaced) {
			w.fail("nothing acknowledged is lost", "%s cannot say what waits: %v", m.name, err)
		}
		return
	}
	a, err := m.Role.Desk().Account()
	if errors.Is(err, member.ErrNotAdmitted) || errors.Is(err, member.ErrReplaced) {
		return
	}
	waiting, err := m.Role.Desk().Waiting()
	if err != nil {
		w.fail("nothing acknowledged is lost", "%s cannot say what waits: %v", m.name, err)
		return
	}
	next := a.Last + 1
	for _, r := range waiting {
		if r.Number != next {
			w.fail("nothing acknowledged is lost", "%s has number %d waiting where %d belongs", m.name, r.Number, next)
		}
		next++
		if r.Number == uint64(len(m.signed))+1 && attempt != nil && bytes.Equal(r.Change.Args, attempt) {
			m.sign(r.Number, r.Change) // its disk took it before the power went
			continue
		}
		b, err := r.Change.Encode()
		if err != nil || r.Number > uint64(len(m.signed)) || !bytes.Equal(b, m.signed[r.Number-1].change) {
			w.fail("nothing is made up", "%s has number %d waiting, which it never signed (%v)", m.name, r.Number, err)
		}
	}
	if next <= uint64(len(m.signed)) {
		w.fail("nothing acknowledged is lost", "%s signed %d changes; %d are in the log and %d wait", m.name, len(m.signed), a.Last, len(waiting))
	}
}
