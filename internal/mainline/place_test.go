package mainline

import (
	"slices"
	"testing"

	"github.com/anacrolix/dht/v2/bep44"

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
		if f.Item == nil || f.Item.Seq != seq {
			t.Errorf("seq %d: found %+v", seq, f.Item)
		}
		closest := w.Closest(it.Target, 8)
		for _, node := range w.nodes {
			stored, err := node.items.Get(bep44.Target(it.Target))
			has := err == nil && stored.Seq == seq
			belongs := slices.ContainsFunc(closest, func(c lookup.Node) bool { return c.Addr == node.Addr() })
			if has != belongs {
				t.Errorf("seq %d: %s has it: %v, among the 8 closest: %v", seq, node.Addr(), has, belongs)
			}
		}
		it.Sig[0]++
		if err := w.Place(it); err == nil {
			t.Error("an item with a wrong signature was placed")
		}
	}
}
