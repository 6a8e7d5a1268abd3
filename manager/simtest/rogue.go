package simtest

import (
	"crypto/ed25519"
	"fmt"
	"io"
	"time"

	"weir/internal/lookup"
	"weir/keys"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// Rogue is somebody with an account who keeps to no rule: a key, a DHT client,
// and no weir. It puts what it likes as its outbox.
type Rogue struct {
	*machine
	id     *keys.Identity
	outbox wire.OutboxKeys
	random io.Reader
	seq    int64
	line   []wire.Message // a history that is in order, by number from 1 on
	chains []wire.Hash    // after each
}

// Rogue makes somebody whom the manager has admitted and should not trust. The
// manager must be on.
func (w *World) Rogue(name string) *Rogue {
	g := &Rogue{machine: w.machine(name, nil), id: w.identity(name), random: w.Sim.Random("nonces of " + name)}
	g.honest = false
	g.start = func(*store.Store) error { return nil }
	st := w.Manager.state
	shared, err := g.id.Shared(st.Terms().Newest().Seal)
	w.must(err)
	g.outbox = wire.DeriveOutboxKeys(shared, st.Digest, g.id.Public(), w.watch.manager)
	_, err = w.Manager.Desk().AdmitCode(wire.NewMemberCode(g.id, name), nil)
	w.must(err)
	w.must(g.On())
	return g
}

// Number is its account, as the manager's log has it.
func (g *Rogue) Number() uint64 {
	a, _ := g.world.Manager.account(g.id.Public())
	return a.Number
}

// Message signs a change with a number, after a chain. It may become an entry.
func (g *Rogue) Message(number uint64, before wire.Hash, c wire.Change) wire.Message {
	b, err := c.Encode()
	g.world.must(err)
	chain := wire.ChainNext(before, b)
	g.world.sign(g.id.Public(), number, chain)
	sig := ed25519.Sign(g.id.Publish, wire.ChangeSigned(g.world.digest(), number, chain))
	return wire.Message{Change: b, Sig: wire.Signature(sig)}
}

// Transfer is a change that moves an amount from one account to another.
func (g *Rogue) Transfer(from, to uint64, amount int64, memo string) wire.Change {
	args, err := wire.Transfer{Memo: memo, Postings: []wire.Posting{{Account: from, Amount: -amount}, {Account: to, Amount: amount}}}.Args()
	g.world.must(err)
	st := g.world.Manager
	return wire.Change{
		Name: wire.KindTransfer.String(), Args: args,
		Seen: wire.Checkpoint{Size: st.size, Root: st.root}.Seen(),
	}
}

// Window is a window with messages from number first on.
func (g *Rogue) Window(first uint64, before wire.Hash, messages ...wire.Message) wire.Window {
	w := wire.Window{First: first, Count: uint16(len(messages)), Before: before}
	for _, m := range messages {
		w.Inline = wire.AppendMessage(w.Inline, m)
	}
	return w
}

// Put seals a window and puts it.
func (g *Rogue) Put(w wire.Window) {
	var nonce [24]byte
	_, err := io.ReadFull(g.random, nonce[:])
	g.world.must(err)
	value, err := wire.SealWindow(g.outbox, nonce, &w)
	g.world.must(err)
	g.PutValue(value)
}

// PutValue puts anything under the rogue's key.
func (g *Rogue) PutValue(value []byte) {
	g.seq = max(g.seq+1, g.host.Now().UnixMilli())
	it, err := lookup.Sign(g.id.Publish, g.world.watch.id.Salt(), g.seq, value)
	g.world.must(err)
	g.host.Put(lookup.Put{Item: it}, func(lookup.Stored) {})
}

// last is the newest number that the rogue's line has, and the chain there.
func (g *Rogue) last() (uint64, wire.Hash) {
	if n := len(g.chains); n > 0 {
		return uint64(n), g.chains[n-1]
	}
	return 0, wire.Hash{}
}

// Tell continues the line with a change and puts all of it that the log lacks.
func (g *Rogue) Tell(c wire.Change) {
	n, before := g.last()
	m := g.Message(n+1, before, c)
	g.line, g.chains = append(g.line, m), append(g.chains, wire.ChainNext(before, m.Change))
	a, _ := g.world.Manager.account(g.id.Public())
	if a.Last > n {
		return // the log went another way: see Double
	}
	var h wire.Hash
	if a.Last > 0 {
		h = g.chains[a.Last-1]
	}
	// As many as lie in one item; a rogue does without chunks.
	waiting, room := g.line[a.Last:], wire.InlineRoom(0)
	for i, m := range waiting {
		if room -= len(wire.AppendMessage(nil, m)); room < 0 {
			waiting = waiting[:i]
			break
		}
	}
	g.Put(g.Window(a.Last+1, h, waiting...))
}

// misdeeds is what a rogue does, each in its turn.
var misdeeds = []func(g *Rogue, victim uint64){
	(*Rogue).Pays, (*Rogue).Overspends, (*Rogue).Steals, (*Rogue).Forges, (*Rogue).Replays, (*Rogue).Doubles,
	(*Rogue).Skips, (*Rogue).Promises, (*Rogue).Claims, (*Rogue).Mumbles,
}

// Pays does nothing wrong.
func (g *Rogue) Pays(to uint64) { g.Tell(g.Transfer(g.Number(), to, 1, "as one should")) }

// Overspends pays more than anybody may.
func (g *Rogue) Overspends(to uint64) { g.Tell(g.Transfer(g.Number(), to, wire.IntMax, "a fortune")) }

// Steals pays from another's account.
func (g *Rogue) Steals(from uint64) { g.Tell(g.Transfer(from, g.Number(), 100, "a gift from you")) }

// Forges continues its line under a signature that is not its own.
func (g *Rogue) Forges(to uint64) {
	n, before := g.last()
	b, err := func() ([]byte, error) { c := g.Transfer(g.Number(), to, 5, "forged"); return c.Encode() }()
	g.world.must(err)
	m := wire.Message{Change: b}
	_, _ = io.ReadFull(g.random, m.Sig[:])
	g.Put(g.Window(n+1, before, m))
}

// Replays gives a message that was accepted another number.
func (g *Rogue) Replays(uint64) {
	n, before := g.last()
	if n == 0 {
		return
	}
	g.Put(g.Window(n+1, before, g.line[0]))
}

// Doubles signs its newest number again, over another change.
func (g *Rogue) Doubles(to uint64) {
	n, _ := g.last()
	if n == 0 {
		return
	}
	g.world.watch.culprits[g.id.Public()] = true
	var before wire.Hash
	if n > 1 {
		before = g.chains[n-2]
	}
	g.Put(g.Window(n, before, g.Message(n, before, g.Transfer(g.Number(), to, 7, fmt.Sprintf("instead of number %d", n)))))
}

// Skips begins after numbers that nobody has.
func (g *Rogue) Skips(to uint64) {
	n, before := g.last()
	g.Put(g.Window(n+1000, before, g.Message(n+1000, before, g.Transfer(g.Number(), to, 3, "from the future"))))
}

// Promises names chunks that are nowhere.
func (g *Rogue) Promises(uint64) {
	n, before := g.last()
	w := wire.Window{First: n + 1, Count: 100, Before: before}
	for range wire.WindowTargetsMax {
		var t wire.Target
		_, _ = io.ReadFull(g.random, t[:])
		w.Targets = append(w.Targets, t)
	}
	g.Put(w)
}

// Claims says it has verified a log that the manager never signed.
func (g *Rogue) Claims(uint64) {
	n, before := g.last()
	w := g.Window(n+1, before)
	w.Newest = wire.Checkpoint{Size: g.world.Manager.size + 1000, Root: wire.Hash{1}, Sig: wire.Signature{2}}
	g.Put(w)
}

// Mumbles puts what is no outbox at all.
func (g *Rogue) Mumbles(uint64) {
	b := make([]byte, 300)
	_, _ = io.ReadFull(g.random, b)
	g.PutValue(wire.String(b))
}

// rogues puts somebody into the world of a Run who does all of this.
func (r *run) rogues() {
	g := r.Rogue("a rogue")
	var act func()
	act = func() {
		if r.over || r.broken != nil {
			return
		}
		if r.Manager.on {
			victim := 1 + r.plan.Uint64N(uint64(r.Manager.state.Members()))
			if victim != g.Number() {
				r.faults["a rogue's misdeed"]++
				misdeeds[r.plan.IntN(len(misdeeds))](g, victim)
			}
		}
		r.Sim.After(time.Duration(r.plan.ExpFloat64()*float64(r.options.Time/60)), act)
	}
	r.Sim.After(time.Minute, act)
}
