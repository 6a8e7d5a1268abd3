package bench

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Case is one measurement. Fields that do not apply are nil or zero and are
// left out of JSON; the keys are a contract.
type Case struct {
	Case  string  `json:"case"`
	Unit  string  `json:"unit"`
	Seed  uint64  `json:"seed"`
	Value float64 `json:"value"`
	Floor float64 `json:"floor"` // in Unit; 0: there is none
	Ratio float64 `json:"ratio"` // Value / Floor; 0: there is no floor

	Packets    *float64 `json:"packets_per_key,omitempty"`
	Background *float64 `json:"background_packets_per_key,omitempty"`
	P50        *float64 `json:"p50_ms,omitempty"`
	P90        *float64 `json:"p90_ms,omitempty"`
	P99        *float64 `json:"p99_ms,omitempty"`
	Fresh      *int     `json:"fresh,omitempty"`             // keys newly put before the measured cycle that have two live holders
	FreshFirst *int     `json:"fresh_first_cycle,omitempty"` // of them, seen by that cycle
	Stale      *int     `json:"stale_after_second,omitempty"`
	// The same of keys whose new value every living one of their 8 nodes holds.
	Placed      *int `json:"placed,omitempty"`
	PlacedFirst *int `json:"placed_first_cycle,omitempty"`
	PlacedStale *int `json:"placed_stale_after_second,omitempty"`

	Heap    *float64 `json:"heap_bytes_per_key,omitempty"`
	Budget  *float64 `json:"budget,omitempty"` // in Unit, where it is more than a factor of the floor
	Virtual bool     `json:"virtual,omitempty"`
}

// Options of a run; zero fields take the defaults named.
type Options struct {
	Keys    int           // poll: members; 1000
	Nodes   int           // DHT nodes; 200
	Members int           // propagation; 200
	Cycle   time.Duration // propagation: 10 s
	Virtual bool          // poll: in the simulated world, on a network as the next four say
	RTT     time.Duration
	Jitter  time.Duration
	Loss    float64 // share of packets, each way
	Dead    float64 // share of nodes that die before anything is put
	Changed float64 // poll: share of keys with a new value; 0
	Seed    uint64
	Large   bool   // catchup: also 1 GiB
	Dir     string // where databases of real cases lie; it is there and empty
	Program string // the weir that the DHT of real cases is a process of

	Emit func(Case)        // each case, the budgeted one last
	Note func(text string) // what is being done
}

// Names are the benchmarks.
func Names() []string {
	return []string{"poll", "merge", "catchup", "publish", "propagation", "attack"}
}

// Limits of the options.
const (
	KeysMax    = 1_000_000
	NodesMin   = 12
	NodesMax   = 10_000
	MembersMin = 2
	MembersMax = 1000
	LivingMin  = 8 // nodes
)

// Run runs one benchmark by name.
func Run(ctx context.Context, name string, o Options) error {
	o = o.withDefaults()
	run := map[string]func(context.Context, Options) error{
		"poll": poll, "merge": merge, "catchup": catchup, "publish": publish, "propagation": propagation, "attack": attack,
	}[name]
	if run == nil {
		return fmt.Errorf("there is no benchmark %q", name)
	}
	if err := run(ctx, o); err != nil {
		return fmt.Errorf("bench %s: %w", name, err)
	}
	return nil
}

func (o Options) withDefaults() Options {
	def := func(n *int, v int) {
		if *n <= 0 {
			*n = v
		}
	}
	def(&o.Keys, 1000)
	def(&o.Nodes, 200)
	def(&o.Members, 200)
	if o.Cycle <= 0 {
		o.Cycle = 10 * time.Second
	}
	if o.Note == nil {
		o.Note = func(string) {}
	}
	return o
}

// against sets value, floor and their ratio.
func (c Case) against(value, floor float64) Case {
	c.Value, c.Floor = value, floor
	if floor > 0 {
		c.Ratio = value / floor
	}
	return c
}

func ptr[T any](v T) *T { return &v }

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func median(all []time.Duration) time.Duration { return share(all, 50) }

// share is the time that so many percent of all do not exceed.
func share(all []time.Duration, percent int) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Clone(all)
	slices.Sort(sorted)
	return sorted[max((len(sorted)*percent+99)/100-1, 0)]
}
