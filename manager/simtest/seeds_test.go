package simtest

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"weir/internal/simnet"
)

var (
	seedsFlag    = flag.Int("seeds", 4, "how many seeds of 20 members")
	hoursFlag    = flag.Int("hours", 2, "how long each of them is")
	daysFlag     = flag.Int("days", 0, "how many seeds of 200 members and a day; 0: one of a smaller neighbourhood")
	seedFlag     = flag.Uint64("seed", 0, "replay this seed alone")
	twiceFlag    = flag.Bool("twice", false, "run every seed twice and compare the hashes")
	paymentsFlag = flag.Float64("payments", 0, "payments of a member and hour; 0: 33 in an hour, 2 a day in a day")
)

// TestSeeds lives through two hours of seeds with everything that may go wrong.
// 200 of an hour, twice:
//
//	go test ./manager/simtest -run 'TestSeeds$' -timeout 3h -args -seeds 200 -hours 1 -twice
func TestSeeds(t *testing.T) {
	t.Parallel()
	live(t, "TestSeeds", *seedsFlag, Options{Time: time.Duration(*hoursFlag) * time.Hour, Payments: *paymentsFlag})
}

// enough is how many seeds have every fault between them.
const enough = 4

// happened sees that every fault has occurred.
func happened(t *testing.T, lived []Result) {
	sum := map[string]int{}
	for _, r := range lived {
		for name, n := range r.Faults {
			sum[name] += n
		}
	}
	for _, name := range everyFault() {
		if sum[name] == 0 {
			t.Errorf("in %d seeds there was no %s; there were %s", len(lived), name, counted(sum))
		}
	}
}

// everyFault is what happens to some seed of a few, by the names of
// Result.Faults.
func everyFault() []string {
	all := []string{
		"loss", "duplication", "reordering", "delay with a tail", "nodes behind NATs", "machines behind NATs",
		"partition", "cable pulled", "nodes that joined", "eclipsing nodes", "items expire early", "bad torrent peers",
		"crash in a write", "crash", "stop", "clock wrong", "clock leaps", "a rogue's misdeed",
		"a member set back to a backup", "a member on two machines", "take-over",
	}
	for b := simnet.Silent; b <= simnet.Crashing; b++ {
		all = append(all, behaviours[b])
	}
	for _, f := range finales {
		all = append(all, f.name)
	}
	return all
}

// TestDays lives through days of a neighbourhood of 200, by default through one
// of 40. Four whole ones:
//
//	go test ./manager/simtest -run 'TestDays$' -timeout 1h -args -days 4
func TestDays(t *testing.T) {
	t.Parallel()
	o, n := Day(), *daysFlag
	if n == 0 {
		o.Members, o.Nodes, n = 40, 40, 1
	}
	if *paymentsFlag > 0 {
		o.Payments = *paymentsFlag
	}
	live(t, "TestDays", n, o)
}

// live runs seeds as subtests, and sees that these had every fault if they are
// enough for it.
func live(t *testing.T, test string, n int, o Options) {
	t.Helper()
	seeds := make([]uint64, n)
	for i := range seeds {
		seeds[i] = uint64(i + 1)
	}
	if *seedFlag != 0 {
		seeds = []uint64{*seedFlag}
	}
	var mu sync.Mutex
	var lived []Result
	t.Cleanup(func() { // when all of them are over
		if len(lived) == n && n >= enough {
			happened(t, lived)
		}
	})
	for _, seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			replay := again(test, seed)
			r := runSeed(t, seed, o, replay)
			mu.Lock()
			lived = append(lived, r)
			mu.Unlock()
			if !*twiceFlag {
				return
			}
			if second := runSeed(t, seed, o, replay); second.Hash != r.Hash {
				t.Errorf("seed %d gave the hash %016x, and then %016x", seed, r.Hash, second.Hash)
			}
		})
	}
}

// again is the command that replays a seed.
func again(test string, seed uint64) string {
	command := fmt.Sprintf("go test ./manager/simtest -timeout 1h -run '%s$' -args -seed %d", test, seed)
	if *daysFlag > 0 && test == "TestDays" {
		command += fmt.Sprintf(" -days %d", *daysFlag)
	}
	if *hoursFlag != 2 && test == "TestSeeds" {
		command += fmt.Sprintf(" -hours %d", *hoursFlag)
	}
	if *paymentsFlag > 0 {
		command += fmt.Sprintf(" -payments %g", *paymentsFlag)
	}
	return command
}

// runSeed runs a seed; when it fails, it says how to see that again.
func runSeed(t *testing.T, seed uint64, o Options, replay string) Result {
	t.Helper()
	start := time.Now()
	r, err := Run(seed, o)
	t.Logf("%v, in %.1f s; %s", r, time.Since(start).Seconds(), counted(r.Faults))
	if err != nil {
		t.Fatalf("seed %d: %v\nreplay it with:\n\t%s", seed, err, replay)
	}
	return r
}

// counted is counts in a fixed order.
func counted(n map[string]int) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(n)) {
		all = append(all, fmt.Sprintf("%s: %d", name, n[name]))
	}
	return strings.Join(all, ", ")
}
