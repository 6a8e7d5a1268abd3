package simtest

import (
	"testing"
	"time"
)

func TestASeedIsARun(t *testing.T) {
	t.Parallel()
	// Everything goes wrong that may; shorter, so that several can be run twice.
	o := Options{Members: 10, Nodes: 30, Time: 15 * time.Minute}
	hashes := map[uint64]uint64{}
	for seed := uint64(101); seed <= 103; seed++ {
		const replay = "go test ./manager/simtest -run 'TestASeedIsARun$'"
		first, again := runSeed(t, seed, o, replay), runSeed(t, seed, o, replay)
		if first.Hash != again.Hash || first.Root != again.Root {
			t.Errorf("seed %d gave the hash %016x, and then %016x", seed, first.Hash, again.Hash)
		}
		if other, ok := hashes[first.Hash]; ok {
			t.Errorf("seeds %d and %d gave one hash", seed, other)
		}
		hashes[first.Hash] = seed
	}
}
