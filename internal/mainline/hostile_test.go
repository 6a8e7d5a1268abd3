package mainline

import (
	"bytes"
	"testing"

	"weir/internal/lookup"
)

// beside is an id as close to a target as a stranger likes.
func beside(target [20]byte, n byte) [20]byte {
	target[19] ^= n
	return target
}

func TestTheNewestItemIsFoundThroughHostileNodesAroundItsTarget(t *testing.T) {
	for kind, name := range map[Misbehaviour]string{
		Stale: "stale", Forging: "forging", Swapping: "swapping", Mute: "mute",
		Acking: "acknowledging only", Crashing: "crashing", Misleading: "misleading",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they wait for answers that never come
			w := network(t, 24)
			key := newKey(t)
			old, newer := sign(t, key, 1, "3:old"), sign(t, key, 2, "5:newer")
			var hostile []*Hostile
			for i := range byte(3) { // closer to the target than any honest node
				h, err := w.Hostile(t.Context(), beside(old.Target, i+1), kind)
				if err != nil {
					t.Fatal(err)
				}
				hostile = append(hostile, h)
			}
			// These run servers of their own, which the hostile nodes answer too.
			writer := open(t, Config{Bootstrap: w.Hosts(2)})
			reader := open(t, Config{Bootstrap: w.Hosts(3)})
			puts := []lookup.Item{newer}
			if kind == Stale || kind == Forging { // the others do not care what came first
				puts = []lookup.Item{old, newer}
			}
			for _, it := range puts {
				if s := put(t, writer, it); s.Err != nil || s.Acknowledged < 4 {
					t.Fatalf("put seq %d: %d of %d acknowledged, %v", it.Seq, s.Acknowledged, s.Tried, s.Err)
				}
			}
			f := get(t, reader, newer)
			if f.Err != nil || f.Item == nil || f.Item.Seq != 2 || !bytes.Equal(f.Item.Value, newer.Value) || len(f.Conflicts) != 0 {
				t.Fatalf("found %+v", f)
			}
			switch {
			case (kind == Forging || kind == Swapping) && f.Invalid == 0:
				t.Error("no lie was dismissed, so none was told")
			case kind == Stale && f.Holding > f.Answered-3:
				t.Errorf("%d of %d hold the newest, three of which never do", f.Holding, f.Answered)
			}
			for _, h := range hostile {
				if h.Asked() == 0 {
					t.Error("a hostile node was never asked")
				}
			}
		})
	}
}

func TestACrashingNodeIsCountedByTheGuard(t *testing.T) {
	t.Parallel()
	w := network(t, 12)
	it := sign(t, newKey(t), 1, "1:a")
	if _, err := w.Hostile(t.Context(), beside(it.Target, 1), Crashing); err != nil {
		t.Fatal(err)
	}
	n := open(t, Config{Bootstrap: w.Hosts(1), ReadOnly: true})
	get(t, n, it)
	if s := n.Stats(); s.Dropped["crashing"] == 0 {
		t.Errorf("dropped: %v", s.Dropped)
	}
}
