package lookup

import (
	"errors"
	"testing"

	"weir/ledger/wire"
)

func TestCheckSeesTheTraversalAndCanStopAPut(t *testing.T) {
	w := newWorld(t, 1, 60)
	c := w.client(Config{}, 2)
	older, newer := signed(t, 1, 1, "a"), signed(t, 1, 2, "b")
	w.put(c, Put{Item: newer})
	stop := errors.New("there is a newer one")
	s := w.put(c, Put{Item: older, Check: func(f Found) error {
		if f.Item == nil || !f.Item.same(&newer) || !f.Complete() {
			t.Errorf("found %+v", f)
		}
		return stop
	}})
	if s.Err != stop || s.Tried != 0 || s.Found.Item == nil {
		t.Errorf("stored %+v", s)
	}
	passed := w.put(c, Put{Item: signed(t, 1, 3, "c"), Check: func(Found) error { return nil }})
	if passed.Err != nil || passed.Acknowledged != 8 {
		t.Errorf("stored %+v", passed)
	}
}

func TestAnOldSeqIsRefusedAndCounted(t *testing.T) {
	w := newWorld(t, 2, 60)
	c := w.client(Config{}, 2)
	w.put(c, Put{Item: signed(t, 1, 2, "b")})
	s := w.put(c, Put{Item: signed(t, 1, 1, "a")})
	if !errors.Is(s.Err, ErrNotStored) || s.Acknowledged != 0 || s.Tried != 8 || s.Refused[CodeSeqTooLow] != 8 {
		t.Errorf("stored %+v", s)
	}
}

// A stranger put the same value with the highest seq to nodes that compare it.
func TestANodeThatRefusesAnImmutableItemForItsSeqHasItAlready(t *testing.T) {
	value, err := Immutable(wire.String([]byte("a")))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name         string
		item         Item
		code         int
		acknowledged int
	}{
		{"an immutable item that a later seq keeps out is there", value, CodeSeqTooLow, 8},
		{"an immutable item refused for another reason is not", value, CodeServer, 0},
		{"a mutable item that a later seq keeps out is not", signed(t, 1, 1, "a"), CodeSeqTooLow, 0},
	} {
		w := newWorld(t, 2, 60)
		for _, n := range w.nodes {
			n.lie = func(q *Message, r Message) []flight {
				if q.Method == MethodPut {
					r = Message{Kind: KindError, Transaction: q.Transaction, Code: c.code}
				}
				return []flight{{data: r.Encode()}}
			}
		}
		s := w.put(w.client(Config{}, 2), Put{Item: c.item})
		if s.Acknowledged != c.acknowledged || s.Tried != 8 || s.Acknowledged+s.Refused[c.code] != 8 || (s.Err == nil) != (c.acknowledged > 0) {
			t.Errorf("%s: stored %+v", c.name, s)
		}
	}
}

func TestAnybodyMayPutAgainWhatTheyFound(t *testing.T) {
	w := newWorld(t, 3, 60)
	it := signed(t, 1, 2, "b")
	w.put(w.client(Config{}, 2), Put{Item: it})
	stranger := w.client(Config{}, 2)
	f := w.get(stranger, getOf(it))
	for _, n := range w.closest(it.Target, 4) {
		clear(n.items)
	}
	if s := w.put(stranger, Put{Item: *f.Item}); s.Acknowledged != 8 || s.Err != nil || s.Found.Holding != 4 {
		t.Errorf("stored %+v", s)
	}
	if n := holdingItem(w.closest(it.Target, 8), it); n != 8 {
		t.Errorf("%d hold it", n)
	}
}

func TestGivenHoldersSaveTheTraversal(t *testing.T) {
	w := newWorld(t, 4, 60)
	c := w.client(Config{}, 2)
	f := w.get(c, getOf(signed(t, 1, 1, "a")))
	s := w.put(c, Put{Item: signed(t, 1, 1, "a"), Holders: f.Closest})
	if s.Err != nil || s.Acknowledged != 8 || s.Packets != 8 || s.Found.Asked != 0 {
		t.Errorf("stored %+v", s)
	}
}

func TestOldTokensAreRenewedOnce(t *testing.T) {
	for _, mute := range []bool{false, true} {
		w := newWorld(t, 5, 60)
		c := w.client(Config{}, 2)
		it := signed(t, 1, 1, "a")
		f := w.get(c, getOf(it))
		for i, n := range w.nodes {
			n.epoch, n.mute = 1, mute
			if n.ID == f.Closest[0].ID {
				w.nodes[i].lie = func(q *Message, r Message) []flight { // never content
					if q.Method == MethodPut {
						r = Message{Kind: KindError, Transaction: q.Transaction, Code: CodeProtocol}
					}
					return []flight{{data: r.Encode()}}
				}
			}
		}
		f.Closest[1].Token = nil
		s := w.put(c, Put{Item: it, Holders: f.Closest})
		if s.Err != nil || s.Acknowledged != 7 || s.Tried != 8 || s.Refused[CodeProtocol] != 1 {
			t.Errorf("mute %v: stored %+v", mute, s)
		}
	}
}

func TestAnInvalidItemIsNotPut(t *testing.T) {
	w := newWorld(t, 6, 10)
	it := signed(t, 1, 1, "a")
	it.Seq = 2
	s := w.put(w.client(Config{}, 2), Put{Item: it})
	if !errors.Is(s.Err, ErrItem) || w.sent != 0 {
		t.Errorf("stored %+v, %d packets", s, w.sent)
	}
}

func TestHoldersThatAreNoneStoreNothing(t *testing.T) {
	w := newWorld(t, 7, 10)
	s := w.put(w.client(Config{}, 2), Put{Item: signed(t, 1, 1, "a"), Holders: []Holder{}})
	if !errors.Is(s.Err, ErrNotStored) || w.sent != 0 {
		t.Errorf("stored %+v, %d packets", s, w.sent)
	}
}

func TestCallbacksMayStartOperationsForEver(t *testing.T) {
	w := newWorld(t, 8, 0)
	c := w.client(Config{}, 0)
	calls := 0
	var again func(Found)
	again = func(Found) {
		if calls++; calls < 100 {
			c.Get(w.now, getOf(signed(t, 1, 1, "x")), again)
		}
	}
	c.Get(w.now, getOf(signed(t, 1, 1, "x")), again)
	c.Tick(w.now)
	if calls != 1 {
		t.Errorf("one tick called back %d times", calls)
	}
	w.run()
	if calls != 100 || !c.Next().IsZero() {
		t.Errorf("%d calls, next %v", calls, c.Next())
	}
}
