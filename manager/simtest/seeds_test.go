package simtest

import (
	"flag"
	"fmt"
	"testing"
	"time"
)

var (
	seedsFlag = flag.Int("seeds", 6, "how many seeds of 20 members and an hour")
	seedFlag  = flag.Uint64("seed", 0, "replay this seed alone")
	twiceFlag = flag.Bool("twice", false, "run every seed twice and compare the hashes")
)

// TestSeeds lives through seeds with everything that may go wrong. All 200:
//
//	go test ./manager/simtest -run 'TestSeeds$' -timeout 2h -args -seeds 200 -twice
func TestSeeds(t *testing.T) {
	t.Parallel()
	seeds := make([]uint64, *seedsFlag)
	for i := range seeds {
		seeds[i] = uint64(i + 1)
	}
	if *seedFlag != 0 {
		seeds = []uint64{*seedFlag}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			r := runSeed(t, seed, Options{}, fmt.Sprintf("TestSeeds$' -args -seed %d", seed))
			if *twiceFlag {
				if again := runSeed(t, seed, Options{}, fmt.Sprintf("TestSeeds$' -args -seed %d", seed)); again.Hash != r.Hash {
					t.Errorf("seed %d gave the hash %016x, and then %016x", seed, r.Hash, again.Hash)
				}
			}
		})
	}
}

// runSeed runs a seed; when it fails, it says how to see that again.
func runSeed(t *testing.T, seed uint64, o Options, replay string) Result {
	t.Helper()
	start := time.Now()
	r, err := Run(seed, o)
	t.Logf("%v, in %.1f s; power lost %v", r, time.Since(start).Seconds(), r.Crashes)
	if err != nil {
		t.Fatalf("seed %d: %v\nreplay it with:\n\tgo test ./manager/simtest -run '%s", seed, err, replay)
	}
	return r
}
