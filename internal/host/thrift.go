package host

import (
	"sync"
	"time"

	"weir/configs"
	"weir/internal/loop"
	"weir/ledger/store"
)

// Thrift is what a manager or an agent may take of the machine.
type Thrift struct {
	Disk    int64           // bytes that the directory may take; 0: any number
	Traffic configs.Traffic // that may go through the network
	Metered bool            // the connection is paid by the amount
}

const (
	thriftPause = 5 * time.Second // between two looks at what went through
	diskPause   = time.Minute     // between two looks at the disk
	keepPause   = time.Minute     // between two times that the counts are kept
)

// udpHeaderBytes is what UDP and IPv4 add to every datagram.
const udpHeaderBytes = 28

// keeper sees to it that what may be taken is not passed by much. Where it would
// be, nothing is served to others any more, and roles are told to fetch no
// torrents; chunks and what is signed here are small, and go on.
type keeper struct {
	thrift  Thrift
	dir     Directory
	traffic *traffic
	mute    func(bool) // serving
	spare   func(bool) // fetching torrents
	stop    chan struct{}
	ended   chan struct{}

	mu   sync.Mutex
	disk *DiskView
}

// watchThrift begins to look; mute and spare are called from a goroutine of its
// own, when something has changed and first at once.
func watchThrift(t Thrift, d Directory, name string, count func() (up, down uint64), mute, spare func(bool)) *keeper {
	k := &keeper{thrift: t, dir: d, mute: mute, spare: spare, stop: make(chan struct{}), ended: make(chan struct{})}
	k.traffic = newTraffic(d.traffic(name), t.Traffic, count)
	k.disk = d.Disk(t.Disk)
	k.apply(time.Now(), nil)
	go k.run()
	return k
}

func (k *keeper) run() {
	defer close(k.ended)
	tick := time.NewTicker(thriftPause)
	defer tick.Stop()
	looked, kept := time.Now(), time.Now()
	var last *[2]bool
	for {
		select {
		case <-k.stop:
			k.traffic.look(time.Now())
			k.traffic.keep()
			return
		case now := <-tick.C:
			if now.Sub(looked) >= diskPause {
				looked = now
				disk := k.dir.Disk(k.thrift.Disk)
				k.mu.Lock()
				k.disk = disk
				k.mu.Unlock()
			}
			last = k.apply(now, last)
			if now.Sub(kept) >= keepPause {
				kept = now
				k.traffic.keep()
			}
		}
	}
}

// apply does what follows from how things are, unless it has done so.
func (k *keeper) apply(now time.Time, last *[2]bool) *[2]bool {
	reached := k.traffic.look(now).Reached
	next := [2]bool{k.thrift.Metered || reached, reached || k.view().reached()}
	if last == nil || *last != next {
		k.mute(next[0])
		k.spare(next[1])
	}
	return &next
}

// view is the disk as it was last looked at; nil: it could not be.
func (k *keeper) view() *DiskView {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.disk
}

// now is the same with the room that there is at this moment.
func (k *keeper) now() *DiskView {
	v := k.view()
	if v == nil {
		return nil
	}
	now := *v
	if free, err := store.Free(string(k.dir)); err == nil {
		now.Free = free
	}
	return &now
}

func (k *keeper) close() {
	close(k.stop)
	<-k.ended
}

// watch is what a running manager or agent knows of its machine.
type watch struct {
	*keeper
	loop  *loop.Loop
	wall0 time.Time
	mono0 time.Duration
}

// watch begins to watch; spare is told whether torrents may be fetched.
func (e *Edges) watch(t Thrift, name string, l *loop.Loop, spare func(bool)) *watch {
	return &watch{
		keeper: watchThrift(t, e.dir, name, e.carried, e.Swarm.Mute, spare),
		loop:   l, wall0: l.Now(), mono0: l.Mono(),
	}
}

// health is how things stand with the machine. signed is the time in the newest
// head; zero: there is none.
func (w *watch) health(e *Edges, every time.Duration, signed time.Time) HealthView {
	now := w.loop.Now()
	traffic := w.traffic.look(now)
	ran := w.loop.Mono() - w.mono0
	v := HealthView{
		Up: int64(ran.Seconds()), Every: int64(every.Seconds()), Metered: w.thrift.Metered, Disk: w.now(), Traffic: &traffic,
		Clock: &ClockView{Leapt: int64((now.Sub(w.wall0) - ran).Seconds())}, Reach: "unknown",
	}
	if !signed.IsZero() {
		v.Clock.Behind = max(0, int64(signed.Sub(now).Seconds()))
	}
	switch {
	case e.Swarm.Reached():
		v.Reach = "yes"
	case w.thrift.Metered || ran > reachPatience:
		v.Reach = "no"
	}
	return v
}

func (w *watch) close() {
	if w != nil {
		w.keeper.close()
	}
}
