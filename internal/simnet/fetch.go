package simnet

import (
	"crypto/sha1"
	"fmt"
	"slices"
	"time"

	"weir/internal/seed"
	"weir/ledger/wire"
)

const (
	infoBytesMax   = 1 << 20
	pieceTimeout   = 15 * time.Second // from request to piece, for each 64 KiB of it
	lookInterval   = 2 * time.Second  // between looks for more torrent peers
	piecesPerPeer  = 8                // requested at once
	strikesMax     = 3                // unanswered requests in a row, after which a torrent peer is left alone
	strikesRest    = 30 * time.Second // for so long
	wrongPiecesMax = 2                // after which it is left alone for ever
	stallDefault   = 30 * time.Second
)

// fetch is one torrent being fetched.
type fetch struct {
	seed.Fetch
	swarm    *Swarm
	sources  []*source
	turn     int // of which source is asked next
	metadata bool
	info     []byte
	pieces   []byte // packed SHA-1
	content  seed.Content
	total    int64
	unit     int64 // bytes of a piece but the last
	wanted   []int // pieces to ask for, the first last
	missing  int   // pieces not here yet
	got      []bool
	here     int64 // bytes that were there when it began
	received int64
	progress int64 // when something new last came, ns
	moving   bool  // a piece has come
	over     bool
}

// source is a torrent peer as one fetch sees it.
type source struct {
	*Swarm
	asked   int   // requests without answer yet
	strikes int   // of them or before, too late, in a row
	rest    int64 // not asked before then
	wrong   int   // pieces that did not verify
	mute    bool  // it will send nothing more
}

// Fetch implements seed.Swarm. Done is not called after cancel.
func (s *Swarm) Fetch(in seed.Fetch) (cancel func()) {
	if in.Stall == 0 {
		in.Stall = stallDefault
	}
	if in.First <= 0 || in.First > in.Stall {
		in.First = in.Stall
	}
	f := &fetch{Fetch: in, swarm: s, progress: s.end.net.world.now}
	s.fetches = append(s.fetches, f)
	s.after(0, f.look)
	s.after(f.First, f.watch)
	return f.cancel
}

// after runs g unless the client's life has ended by then.
func (s *Swarm) after(d time.Duration, g func()) Timer {
	if !s.alive() {
		return Timer{}
	}
	return s.end.After(d, g)
}

func (f *fetch) cancel() {
	f.over = true
	f.swarm.fetches = slices.DeleteFunc(f.swarm.fetches, func(o *fetch) bool { return o == f })
}

func (f *fetch) finish(err error) {
	f.cancel()
	if err == nil && f.swarm.torrents[f.Infohash] == nil {
		f.swarm.hold(f.Infohash, &torrent{info: f.info, content: f.content})
	}
	f.Done(seed.Result{Received: f.received, Here: f.here, Info: f.info, Err: err})
}

// watch gives up when nothing new came for too long.
func (f *fetch) watch() {
	if f.over {
		return
	}
	quiet := time.Duration(f.swarm.end.net.world.now - f.progress)
	limit := f.First
	if f.moving {
		limit = f.Stall
	}
	if quiet >= limit {
		f.finish(seed.ErrStalled)
		return
	}
	f.swarm.after(limit-quiet, f.watch)
}

// look finds torrent peers, now and then, and asks them.
func (f *fetch) look() {
	if f.over {
		return
	}
	for _, o := range f.swarm.all.held[f.Infohash] {
		known := f.swarm.knows(o, f.Infohash) || slices.Contains(f.Peers, o.Addr())
		if o.alive() && known && f.swarm.connects(o) && !f.has(o) {
			f.sources = append(f.sources, &source{Swarm: o})
		}
	}
	f.ask()
	f.swarm.after(lookInterval, f.look)
}

func (f *fetch) has(o *Swarm) bool {
	return slices.ContainsFunc(f.sources, func(s *source) bool { return s.Swarm == o })
}

// ask requests the metadata from one source, or pieces from all in turn, as
// many as may be under way.
func (f *fetch) ask() {
	for !f.over {
		src := f.next()
		if src == nil {
			return
		}
		switch {
		case f.content != nil && len(f.wanted) > 0:
			last := len(f.wanted) - 1
			piece := f.wanted[last]
			f.wanted = f.wanted[:last]
			f.request(src, f.size(piece), func() { f.piece(src, piece) }, func() { f.again(piece) })
		case f.content == nil && !f.metadata:
			f.metadata = true
			size := 0
			if t := src.torrents[f.Infohash]; t != nil {
				size = len(t.info)
			}
			f.request(src, size, func() { f.gotInfo(src) }, func() { f.metadata = false })
		default:
			return
		}
	}
}

// next is the source whose turn it is; nil: none can be asked now.
func (f *fetch) next() *source {
	now := f.swarm.end.net.world.now
	for range f.sources {
		f.turn = (f.turn + 1) % len(f.sources)
		src := f.sources[f.turn]
		if src.asked < piecesPerPeer && src.wrong < wrongPiecesMax && src.rest <= now {
			return src
		}
	}
	return nil
}

// request asks a source for so many bytes. One of the two is called: arrived
// when they are here, again when they did not come in time.
func (f *fetch) request(src *source, bytes int, arrived, again func()) {
	src.asked++
	open := true
	settle := func() bool { // true for the first of the two
		first := open && !f.over
		if first {
			src.asked--
		}
		open = false
		return first
	}
	late := f.swarm.after(pieceTimeout*time.Duration(1+bytes>>16), func() {
		if !settle() {
			return
		}
		if src.strikes++; src.strikes >= strikesMax {
			src.strikes = 0
			src.rest = f.swarm.end.net.world.now + int64(strikesRest)
		}
		again()
		f.ask()
	})
	f.swarm.transfer(src, bytes, func() {
		if src.torrents[f.Infohash] == nil || !settle() {
			return // stopped serving: the request times out
		}
		late.Stop()
		src.strikes = 0
		arrived()
		f.ask()
	})
}

// transfer calls arrived when so many bytes have come from a source, through
// the queues of its line and ours; never if they are lost or one of the two dies.
func (s *Swarm) transfer(src *source, bytes int, arrived func()) {
	n := s.end.net
	random := &src.random
	if chance(random, src.peer.Stall) {
		src.mute = true
	}
	if src.mute || chance(random, src.peer.Lose) || !src.alive() || !s.connects(src.Swarm) {
		return
	}
	there := n.linkOf(s.end, src.end).way(random)
	back := n.linkOf(src.end, s.end).way(random)
	now := n.world.now
	src.uploadFree = max(src.uploadFree, now+int64(there)) + lineTime(bytes, src.peer.Upload)
	s.after(time.Duration(src.uploadFree+int64(back)-now), func() {
		if !src.alive() || !s.connects(src.Swarm) {
			return
		}
		now := n.world.now
		s.downloadFree = max(s.downloadFree, now) + lineTime(bytes, s.peer.Download)
		s.after(time.Duration(s.downloadFree-now), arrived)
	})
}

// lineTime is how many ns bytes take at a rate in bytes a second.
func lineTime(bytes int, rate int64) int64 { return int64(bytes) * int64(time.Second) / rate }

// gotInfo takes the metadata and asks Plan where the bytes go.
func (f *fetch) gotInfo(src *source) {
	info := slices.Clone(src.torrents[f.Infohash].info)
	f.metadata = false
	f.received += int64(len(info))
	if chance(&src.random, src.peer.Corrupt) {
		info[0] ^= 1
	}
	if wire.Infohash(info) != f.Infohash {
		src.wrong++
		return
	}
	f.info = info
	f.news()
	parsed, err := wire.ParseInfo(info)
	if err != nil {
		f.finish(fmt.Errorf("read the info dictionary: %w", err))
		return
	}
	c, have, err := f.Plan(info)
	if err != nil {
		f.finish(err)
		return
	}
	if f.over { // Plan stopped it
		return
	}
	f.begin(parsed, c, have)
}

// begin plans the pieces that are not here yet.
func (f *fetch) begin(info *wire.Info, c seed.Content, have int64) {
	f.content = c
	f.pieces = info.Pieces
	f.total, f.unit = info.Length(), info.PieceBytes()
	f.got, f.here = seed.Held(c, info.Pieces, f.unit, f.total, have, func() bool { return f.Resume })
	for i := len(f.got) - 1; i >= 0; i-- {
		if !f.got[i] {
			f.wanted = append(f.wanted, i)
		}
	}
	f.missing = len(f.wanted)
	if f.missing == 0 {
		f.finish(nil)
	}
}

// size is how many bytes a piece has.
func (f *fetch) size(piece int) int {
	return int(min(f.unit, f.total-int64(piece)*f.unit))
}

// piece takes a piece from a source, writes it, and verifies what was written.
func (f *fetch) piece(src *source, piece int) {
	b := make([]byte, f.size(piece))
	off := int64(piece) * f.unit
	n, _ := src.torrents[f.Infohash].content.ReadAt(b, off)
	f.received += int64(n)
	if n < len(b) || f.got[piece] {
		f.again(piece)
		return
	}
	if chance(&src.random, src.peer.Corrupt) {
		b[len(b)/2] ^= 1
	}
	f.swarm.end.net.world.Note(b)
	if _, err := f.content.WriteAt(b, off); err != nil {
		f.finish(fmt.Errorf("write a piece: %w", err))
		return
	}
	clear(b)
	if n, err := f.content.ReadAt(b, off); n < len(b) {
		f.finish(fmt.Errorf("read a piece back: %w", err))
		return
	}
	if sum := sha1.Sum(b); string(sum[:]) != string(f.pieces[piece*sha1.Size:][:sha1.Size]) {
		src.wrong++
		f.again(piece)
		return
	}
	f.got[piece], f.moving = true, true
	f.missing--
	f.news()
	if f.Progress != nil {
		f.Progress(f.have(), f.total)
	}
	if f.missing == 0 && !f.over {
		f.finish(nil)
	}
}

// again asks for a piece once more.
func (f *fetch) again(piece int) {
	if !f.got[piece] {
		f.wanted = append(f.wanted, piece)
	}
}

func (f *fetch) news() { f.progress = f.swarm.end.net.world.now }

// have is how many bytes are here: all but the missing pieces, the last of
// which may be short.
func (f *fetch) have() int64 {
	h := int64(len(f.got)-f.missing) * f.unit
	return min(h, f.total)
}
