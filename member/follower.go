package member

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"weir/internal/lookup"
	"weir/ledger"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// head is a head whose item and checkpoint are signed.
type head struct {
	wire.Head
	record itemRecord
}

// Follower keeps a verified copy of a database up to date. Everything is
// called on one loop.
type Follower struct {
	cfg   Config
	ports Ports
	id    wire.ID

	store      *store.Store
	head       *head           // the newest known; nil: none yet
	checkpoint wire.Checkpoint // the newest that the log here has reached; zero Size: none
	keptSeq    int64           // seq of the stored head
	servedSeq  int64           // seq of the head whose torrents are served
	stopped    string          // why following ended

	known     *wire.Succeed // the newest succession that was met on the DHT; nil: none
	soughtAt  time.Time     // when it was last looked for; zero: not in this life
	seekEvery time.Duration // and how long after that again
	alarmed   bool          // it was looked for on account of what is wrong now
	missed    missed        // how long the manager is usually waited for, and is

	started, closed bool
	timer           func() // cancels the next look at the head
	looking, again  bool
	polls           int  // looks at remembered holders before the next traversal
	forked          bool // there are two heads with the newest seq
	charterTimer    func()

	run         *catchUp            // under way
	tried       map[[20]byte]bool   // infohashes tried in this round
	sparing     bool                // no torrents are fetched
	chunksTried int64               // seq of the head whose chunks were tried in this round
	alone       bool                // the last torrent could not be had from anybody: chunks come first
	took        time.Duration       // by the last newest torrent until something of it came
	stalls      map[[20]byte]int    // infohashes of newest torrents → times in a row that they stood still
	hasty       bool                // one of them was given up early in this round
	overtaken   bool                // one was left for a newer one, and nothing of any has come since
	old         map[[20]byte]bool   // infohashes that hold nothing newer than the log here
	dropped     map[[20]byte]string // infohashes that did not verify → why
	distrust    map[[20]byte]bool   // infohashes not to be fetched into the log's own files
	drops       []string            // what was dropped, for people, oldest first
	ahead       map[int][20]byte    // volumes that are here whole beyond the log → infohash
	shelves     map[int]shelfAhead  // the same of shelves
	newest      *newestTorrent      // the last newest torrent that is here whole; nil: none
	tidy        bool                // nothing that was fetched lies beyond the log
	missing     map[wire.Target]int // chunks of the head that no node had → chunk number
	healed      map[wire.Target]time.Time

	serving map[[20]byte]bool // newest torrents
	volumes int               // full volumes served
	shelved int               // whole shelves served

	checked           time.Time
	answered, holding int
	problem, source   string
	failed            []string // why each source of this round did not help
	failedBefore      []string // the same of the round before, until there is news
	got               int64
	torrents          int // from which entries came

	opened    func()                // Member's: the store is there
	committed func([]*ledger.Batch) // Member's: the log has grown
	// Member's: what becomes of its records when the log is taken back, and that it was
	voiding func(size uint64) ([]store.KV, error)
	rewound func()
	waiting func() (first, last uint64) // Member's: the own changes that wait; last is first - 1: none
}

// NewFollower makes a follower; nothing happens before Start.
func NewFollower(cfg Config, ports Ports) (*Follower, error) {
	f := &Follower{
		cfg:       cfg.withDefaults(),
		ports:     ports.withDefaults(),
		id:        cfg.Link.ID,
		tried:     map[[20]byte]bool{},
		stalls:    map[[20]byte]int{},
		old:       map[[20]byte]bool{},
		dropped:   map[[20]byte]string{},
		distrust:  map[[20]byte]bool{},
		ahead:     map[int][20]byte{},
		shelves:   map[int]shelfAhead{},
		missing:   map[wire.Target]int{},
		healed:    map[wire.Target]time.Time{},
		serving:   map[[20]byte]bool{},
		missed:    missed{spare: missedSpare},
		opened:    func() {},
		committed: func([]*ledger.Batch) {},
		voiding:   func(uint64) ([]store.KV, error) { return nil, nil },
		waiting:   func() (uint64, uint64) { return 1, 0 },
		rewound:   func() {},
	}
	if cfg.Store == nil && cfg.Create == nil {
		return nil, errors.New("follow: neither a store nor a way to make one")
	}
	if cfg.Store != nil {
		if err := f.open(cfg.Store); err != nil {
			return nil, fmt.Errorf("follow: %w", err)
		}
	}
	return f, nil
}

// open goes on from what a store holds.
func (f *Follower) open(s *store.Store) error {
	why, _, err := readRecord[string](s, keyStopped)
	if err != nil {
		return err
	}
	checkpoint, _, err := readRecord[wire.Checkpoint](s, keyCheckpoint)
	if err != nil {
		return err
	}
	known, ok, err := readRecord[itemRecord](s, keyHead)
	if err != nil {
		return err
	}
	if ok {
		h, err := wire.ParseHead(known.Value)
		if err != nil {
			return fmt.Errorf("the stored head: %w", err)
		}
		f.head, f.keptSeq = &head{Head: *h, record: known}, known.Seq
	}
	succession, ok, err := readRecord[successionRecord](s, keySuccession)
	if err != nil {
		return err
	}
	if ok {
		f.known = &succession.Succeed
	}
	f.store, f.id = s, s.State().ID
	f.stopped, f.checkpoint = why, checkpoint
	return nil
}

// Start begins following.
func (f *Follower) Start() {
	if f.started || f.closed {
		return
	}
	f.started = true
	if f.store != nil {
		f.begin()
	}
	f.timer = f.ports.Clock.After(0, f.look)
}

// begin is what follows once there is a store.
func (f *Follower) begin() {
	f.serve()
	f.charterTimer = f.ports.Clock.After(f.jitter(f.cfg.Reput), f.checkCharter)
	f.opened()
}

// Stop ends everything; no callback has an effect any more and nothing is
// served, so that the store can be closed.
func (f *Follower) Stop() {
	if f.closed {
		return
	}
	f.closed = true
	for _, cancel := range []func(){f.timer, f.charterTimer} {
		if cancel != nil {
			cancel()
		}
	}
	if f.run != nil {
		f.ended(f.run)
	}
	f.stopServing()
}

// Kick looks at the head at once, by a traversal, and whether the manager's key was
// replaced, if that was not done within the last minute.
func (f *Follower) Kick() {
	if !f.started || f.closed {
		return
	}
	f.polls, f.alarmed, f.seekEvery = 0, false, min(f.seekEvery, kickedAgain)
	f.lookIn(0)
}

// lookIn looks after d instead of when it was planned, or at once after a look
// that is under way.
func (f *Follower) lookIn(d time.Duration) {
	if f.looking {
		f.again = true
		return
	}
	f.timer()
	f.timer = f.ports.Clock.After(d, f.look)
}

// Store is the database; nil before the charter has been found. It is the
// caller's to close, after Stop.
func (f *Follower) Store() *store.Store { return f.store }

// look asks for the charter, or once it is here for the newest head, and now and
// then before that whether the manager's key was replaced. Once following ended
// it asks only that.
func (f *Follower) look() {
	if f.closed || f.looking {
		return
	}
	f.looking = true
	head := func() {
		if f.stopped != "" {
			f.looked()
			return
		}
		f.lookHead()
	}
	switch {
	case f.store == nil:
		f.ports.DHT.Get(lookup.Get{Target: wire.Target(f.id), First: true}, guard(f, f.foundCharter))
	case f.succeedable():
		f.lookSuccession(head)
	default:
		head()
	}
}

// looked ends a look and plans the next one.
func (f *Follower) looked() {
	f.looking = false
	after := f.jitter(f.cfg.Follow)
	if f.again {
		f.again, after = false, 0
	}
	if f.stopped != "" && f.alarmed {
		after = max(after, f.jitter(staleAgain))
	}
	f.timer = f.ports.Clock.After(after, f.look)
	f.cfg.Changed()
}

// answers notes how many nodes answered; false: none.
func (f *Follower) answers(nodes int, err error) bool {
	f.answered = nodes
	if nodes == 0 {
		f.holding, f.problem = 0, lookup.ErrNoNodes.Error()
		if err != nil {
			f.problem = err.Error()
		}
		return false
	}
	f.checked, f.problem = f.ports.Clock.Now(), ""
	return true
}

// foundCharter founds the store when the charter is the link's.
func (f *Follower) foundCharter(found lookup.Found) {
	defer f.looked()
	switch {
	case !f.answers(found.Answered, found.Err):
		return
	case found.Item == nil:
		f.problem = fmt.Sprintf("none of %d nodes has the charter of %s", found.Answered, f.id)
		return
	}
	b := found.Item.Value
	if wire.CharterID(b) != f.id || wire.CharterDigest(b).Prefix() != f.cfg.Link.Digest {
		f.problem = fmt.Sprintf("the charter found under %s is not the link's: somebody made another one with the same id", f.id)
		if !slices.Contains(f.drops, f.problem) {
			f.drops = append(f.drops, f.problem)
		}
		return
	}
	if _, err := wire.ParseCharter(b); err != nil {
		f.problem = err.Error()
		return
	}
	s, err := f.cfg.Create(b)
	if err == nil {
		err = f.open(s)
	}
	if err != nil {
		f.problem = err.Error()
		return
	}
	f.again = true // for the head, at once
	f.begin()
}

// jitter spreads a duration by ± 20 %, so that a crowd does not act as one.
func (f *Follower) jitter(d time.Duration) time.Duration {
	var b [8]byte
	if _, err := io.ReadFull(f.ports.Random, b[:]); err != nil {
		return d
	}
	spread := int64(d) * 2 / 5
	if spread <= 0 {
		return d
	}
	return d - time.Duration(spread/2) + time.Duration(binary.BigEndian.Uint64(b[:])%uint64(spread))
}

// trouble is what keeps the log here from being the newest, in plain words.
func (f *Follower) trouble() string {
	switch {
	case f.problem != "":
		return f.problem
	case len(f.failed) > 0:
		return strings.Join(f.failed, "; ")
	}
	return strings.Join(f.failedBefore, "; ")
}

// Status is how things stand.
func (f *Follower) Status() Status {
	s := Status{
		Phase: Seeking, ID: f.id, Reason: f.stopped, Problem: f.trouble(),
		Checked: f.checked, Answered: f.answered, Holding: f.holding,
		Got: f.got, Source: f.source, Torrents: f.torrents, Serving: len(f.serving) + f.volumes + f.shelved,
		Dropped: append([]string(nil), f.drops...),
	}
	if f.store != nil {
		st := f.store.State()
		s.Name, s.Size, s.Root, s.Length = st.Charter.Name, st.Size, st.Root, st.Length
		s.Succession, _, _ = Succession(f.store)
		s.Awaited = s.Succession.Number > st.Terms().Newest().Number
	}
	if h := f.head; h != nil {
		s.Phase = Fetching
		if f.checkpoint == h.Checkpoint {
			s.Phase = Current
		}
		s.saw(&h.Head, f.ports.Clock.Now(), f.store.State().Charter)
	}
	if f.stopped != "" {
		s.Phase = Stopped
	}
	return s
}

// guard wraps a callback so that it does nothing once the follower is closed.
func guard[T any](f *Follower, do func(T)) func(T) {
	return func(v T) {
		if !f.closed {
			do(v)
		}
	}
}
