package mainline

import (
	"testing"

	"weir/internal/lookup"
)

func TestWhatIsPlacedIsFoundWhereItBelongs(t *testing.T) {
	w := network(t, 24)
	n := open(t, Config{Bootstrap: w.Hosts(2)})
	o := newOutboxes(1)
	for seq := int64(1); seq <= 2; seq++ {
		it, err := lookup.Sign(o.keys[0], o.salt, seq, []byte("5:value"))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Place(it); err != nil {
			t.Fatal(err)
		}
		f := await(t, func(done func(lookup.Found)) {
			n.Get(lookup.Get{Target: it.Target, Mutable: true, Key: it.Key, Salt: it.Salt}, done)
		})
		// The eighth may be of the other half of all nodes, of which tables have room for eight only.
		if f.Item == nil || f.Item.Seq != seq || f.Holding < 7 {
			t.Errorf("seq %d: %+v", seq, f)
		}
		it.Sig[0]++
		if err := w.Place(it); err == nil {
			t.Error("an item with a wrong signature was placed")
		}
	}
}
