package simtest

import (
	"flag"
	"fmt"
	"testing"
	"time"
)

var theftsFlag = flag.Int("thefts", 3, "how many seeds of a stolen manager key")

// TestThefts lives through seeds in which a thief publishes with the manager's
// key while the owner replaces it. A hundred, twice:
//
//	go test ./manager/simtest -run 'TestThefts$' -timeout 1h -args -thefts 100 -twice
func TestThefts(t *testing.T) {
	t.Parallel()
	seeds := make([]uint64, *theftsFlag)
	for i := range seeds {
		seeds[i] = uint64(i + 1)
	}
	if *seedFlag != 0 {
		seeds = []uint64{*seedFlag}
	}
	sum := map[string]int{}
	for _, seed := range seeds {
		start := time.Now()
		r, err := Theft(seed)
		t.Logf("%v, in %.1f s; %s", r, time.Since(start).Seconds(), counted(r.Faults))
		replay := fmt.Sprintf("replay it with:\n\tgo test ./manager/simtest -run 'TestThefts$' -args -seed %d", seed)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, replay)
		}
		for name, n := range r.Faults {
			sum[name] += n
		}
		if !*twiceFlag {
			continue
		}
		if second, _ := Theft(seed); second.Hash != r.Hash {
			t.Errorf("seed %d gave the hash %016x, and then %016x\n%s", seed, r.Hash, second.Hash, replay)
		}
	}
	t.Log(counted(sum))
	for _, name := range []string{"the thief admits a friend", "a void change", "a change in view of the void", "a log with void entries"} {
		if len(seeds) > 2 && sum[name] == 0 {
			t.Errorf("in %d seeds there was no %s", len(seeds), name)
		}
	}
}
