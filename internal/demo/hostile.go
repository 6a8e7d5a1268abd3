package demo

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"weir/internal/host"
	"weir/internal/lookup"
	"weir/internal/mainline"
	"weir/keys"
	"weir/ledger/wire"
)

// rogue is a member without an agent, who puts bytes of its own making through
// a DHT node of its own.
type rogue struct {
	name    string
	act     act
	id      *keys.Identity
	node    *mainline.Node
	code    string // member code, to be admitted by hand
	account uint64

	database wire.ID
	charter  *wire.Charter
	digest   wire.Digest
	seen     wire.Seen // of leaf 0: the oldest checkpoint there is
	seq      int64
}

// act does a cycle's mischief.
type act func(h *rogue, ctx context.Context, cycle int) error

// mischief is what the rogues do, by their names' order.
var mischief = [hostileNum]act{(*rogue).overspend, (*rogue).replay, (*rogue).forge}

// refusals is how often the manager has refused the rogues after so many
// cycles: the overspending and the copy once, a forgery each cycle.
func refusals(cycles int) int { return 2 + cycles }

func newRogue(ctx context.Context, bootstrap []string, link, name string, a act) (*rogue, error) {
	seed, err := host.NewKey()
	if err != nil {
		return nil, err
	}
	h := &rogue{name: name, act: a, id: keys.Derive(seed)}
	if h.code, err = wire.NewMemberCode(h.id, name).Link(); err != nil {
		return nil, err
	}
	l, err := wire.ParseLink(link)
	if err != nil {
		return nil, err
	}
	h.database = l.(wire.DatabaseLink).ID
	if h.node, err = mainline.Open(ctx, mainline.Config{Listen: "127.0.0.1:0", Bootstrap: bootstrap}); err != nil {
		return nil, err
	}
	charter, err := get(ctx, h.node, lookup.Get{Target: wire.Target(h.database)})
	if err != nil {
		h.node.Close()
		return nil, fmt.Errorf("%s looks for the charter: %w", name, err)
	}
	if h.charter, err = wire.ParseCharter(charter.Value); err != nil {
		h.node.Close()
		return nil, err
	}
	h.digest = wire.CharterDigest(charter.Value)
	root := leafHash(charter.Value)
	h.seen = wire.Checkpoint{Size: 1, Root: root}.Seen()
	return h, nil
}

// getTries is how often an item is looked for: on a machine that is busy with
// something else, answers come too late and a look finds nothing.
const getTries = 5

// get waits for an item.
func get(ctx context.Context, n *mainline.Node, g lookup.Get) (*lookup.Item, error) {
	var err error
	for range getTries {
		done := make(chan lookup.Found, 1)
		n.Get(g, func(f lookup.Found) { done <- f })
		select {
		case f := <-done:
			if f.Item != nil {
				return f.Item, nil
			}
			err = f.Err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return nil, errors.Join(fmt.Errorf("no DHT node had it, %d times", getTries), err)
}

const (
	tooMuch = 100_000_00
	once    = 1_00
)

// overspend pays far beyond the lower limit, well signed: refused by an entry.
// Another one would have to wait until the delay after a refusal has passed.
func (h *rogue) overspend(ctx context.Context, cycle int) error {
	if cycle > 0 {
		return nil
	}
	m, err := h.transfer(tooMuch, "everything, please")
	if err != nil {
		return err
	}
	return h.put(ctx, m)
}

// replay makes one honest payment and puts the same bytes again under the next
// number.
func (h *rogue) replay(ctx context.Context, cycle int) error {
	if cycle > 0 {
		return nil
	}
	m, err := h.transfer(once, "honest, this once")
	if err != nil {
		return err
	}
	return h.put(ctx, m, m)
}

// forge makes a payment under a signature of its own making.
func (h *rogue) forge(ctx context.Context, cycle int) error {
	m, err := h.transfer(5_00, fmt.Sprintf("forged %d", cycle))
	if err != nil {
		return err
	}
	if _, err := rand.Read(m.Sig[:32]); err != nil {
		return err
	}
	return h.put(ctx, m)
}

// transfer signs a payment as the rogue's first change.
func (h *rogue) transfer(amount int64, memo string) (wire.Message, error) {
	to := uint64(1)
	if to == h.account {
		to++
	}
	args, err := wire.Transfer{Memo: memo, Postings: []wire.Posting{{Account: h.account, Amount: -amount}, {Account: to, Amount: amount}}}.Args()
	if err != nil {
		return wire.Message{}, err
	}
	c := wire.Change{Name: "transfer", Args: args, Seen: h.seen}
	b, err := c.Encode()
	if err != nil {
		return wire.Message{}, err
	}
	signed := wire.ChangeSigned(h.digest, 1, wire.ChainNext(wire.Hash{}, b))
	return wire.Message{Change: b, Sig: wire.Signature(ed25519.Sign(h.id.Publish, signed))}, nil
}

// put puts an outbox with messages from number 1 on through the rogue's own DHT
// node.
func (h *rogue) put(ctx context.Context, messages ...wire.Message) error {
	shared, err := h.id.Shared(h.charter.Seal)
	if err != nil {
		return err
	}
	var nonce [24]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return err
	}
	k := wire.DeriveOutboxKeys(shared, h.digest, h.id.Public(), h.charter.Manager)
	w := &wire.Window{First: 1, Count: uint16(len(messages))}
	for _, m := range messages {
		w.Inline = wire.AppendMessage(w.Inline, m)
	}
	value, err := wire.SealWindow(k, nonce, w)
	if err != nil {
		return err
	}
	h.seq = max(h.seq+1, time.Now().UnixMilli())
	it, err := lookup.Sign(h.id.Publish, h.database.Salt(), h.seq, value)
	if err != nil {
		return err
	}
	done := make(chan lookup.Stored, 1)
	h.node.Put(lookup.Put{Item: it}, func(s lookup.Stored) { done <- s })
	select {
	case s := <-done:
		return s.Err
	case <-ctx.Done():
		return ctx.Err()
	}
}
