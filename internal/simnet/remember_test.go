package simnet

import (
	"testing"

	"weir/internal/sign"
	"weir/keys"
	"weir/ledger/wire"
)

func TestRememberAnswersAsComputingDoesAndComputesOnce(t *testing.T) {
	r := NewRemember(nil)
	var items []sign.Item
	for i := range 10 {
		it := mutable(t, i, 1, "x")
		s := sign.Item{Key: it.Key, Message: wire.ItemSigned(it.Salt, it.Seq, it.Value), Sig: it.Sig}
		if i%3 == 0 {
			s.Message = append(s.Message, 'y')
		}
		items = append(items, s)
	}
	for round := range 3 {
		for i, ok := range r.Verify(items[:5+2*round]) {
			if ok != (i%3 != 0) {
				t.Errorf("item %d is %v", i, ok)
			}
		}
	}
	if r.Computed != 9 || r.Asked != 5+7+9 {
		t.Errorf("%d of %d computed", r.Computed, r.Asked)
	}
	for range 3 {
		for i, s := range items {
			if r.Item(keys.Public(s.Key), s.Message, s.Sig) != (i%3 != 0) {
				t.Errorf("item %d is judged wrongly", i)
			}
		}
	}
	if r.Computed != 19 {
		t.Errorf("%d computed: the rules of items and of changes are two", r.Computed)
	}
}

func TestRememberIsBounded(t *testing.T) {
	r := NewRemember(nil)
	for i := range 3 * rememberMax {
		r.keep([32]byte{byte(i), byte(i >> 8), byte(i >> 16)}, true)
	}
	if n := len(r.now) + len(r.older); n > 2*rememberMax {
		t.Errorf("%d checks are remembered", n)
	}
	if _, found := r.recall([32]byte{}); found {
		t.Error("the oldest is not forgotten")
	}
}
