package manager

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"weir/internal/lookup"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// publish puts what the log has and the network does not: chunks first, then
// the head, then the torrents.
func (m *Manager) publish(c *cycle) {
	if err := m.signHead(); err != nil {
		c.report.Problem = "the new head could not be made: " + err.Error()
		m.finish(c)
		return
	}
	m.putCharter()
	m.putSuccession()
	again := m.headDone && m.due(m.headNext) // and its chunks with it
	if m.headDone && !again && !m.chunksDue() {
		m.finish(c)
		return
	}
	chunks, err := m.headChunks(m.newest.Length)
	if err != nil {
		c.report.Problem = "the head's chunks could not be read: " + err.Error()
		m.finish(c)
		return
	}
	var todo []lookup.Item
	keep := map[wire.Target]time.Duration{}
	for _, it := range chunks {
		at, done := m.puts[it.Target]
		if done {
			keep[it.Target] = at
		}
		if !done || again || m.due(at) {
			todo = append(todo, it)
		}
	}
	m.puts = keep
	waiting := len(todo)
	if waiting == 0 {
		m.putHead(c)
		return
	}
	for _, it := range todo {
		m.ports.DHT.Put(lookup.Put{Item: it}, guard(m, func(s lookup.Stored) {
			if s.Acknowledged > 0 {
				m.puts[it.Target] = m.next()
			}
			c.report.Packets += s.Found.Packets
			if waiting--; waiting == 0 {
				m.putHead(c)
			}
		}))
	}
}

// chunksDue says whether a chunk of the newest head was acknowledged by nobody
// yet, or is to be put again: heads may be newer than their chunks.
func (m *Manager) chunksDue() bool {
	return slices.ContainsFunc(m.newest.Chunks, func(t wire.Target) bool {
		next, done := m.puts[t]
		return !done || m.due(next)
	})
}

// due says whether the moment for the next put of something has come.
func (m *Manager) due(next time.Duration) bool { return m.ports.Clock.Mono() >= next }

// next is when something that was put now is put again: after an hour, spread
// by a tenth, so that a manager's items do not come due together.
func (m *Manager) next() time.Duration {
	var b [2]byte
	spread := time.Duration(0)
	if _, err := io.ReadFull(m.Random, b[:]); err == nil {
		spread = m.cfg.Reput / 5 * time.Duration(binary.BigEndian.Uint16(b[:])) / (1 << 16)
	}
	return m.ports.Clock.Mono() + m.cfg.Reput*9/10 + spread
}

// signHead makes, signs and stores a new head when the log has grown since
// the last one or that one is older than the charter's heartbeat.
func (m *Manager) signHead() error {
	st := m.Store.State()
	now := m.ports.Clock.Now()
	if h := m.newest; h != nil && h.Checkpoint.Size == st.Size {
		age := now.Sub(time.UnixMilli(h.Time))
		if age >= 0 && age < time.Duration(st.Charter.Heartbeat)*time.Second { // below zero: the clock was set back
			return nil
		}
	}
	checkpoint := wire.SignCheckpoint(st.ID, m.Identity.Log, st.Size, st.Root)
	torrent, err := m.Store.NewestTorrent(checkpoint)
	if err != nil {
		return err
	}
	chunks, err := m.headChunks(st.Length)
	if err != nil {
		return err
	}
	old, err := m.keepTorrents(now, torrent.Infohash)
	if err != nil {
		return err
	}
	volume, err := m.Store.VolumeInfo(st.Volumes)
	if err != nil {
		return err
	}
	mine := torrentRecord{Infohash: torrent.Infohash, Volume: st.Volumes, Length: volume.Length, State: torrent.State, Time: now.UnixMilli(), Held: now.UnixMilli()}
	head := wire.Head{
		Newest:     torrent.Infohash,
		Cycle:      m.head.Cycle + 1,
		Length:     st.Length,
		Checkpoint: checkpoint,
		Time:       now.UnixMilli(),
	}
	for _, t := range old.shown {
		head.Older = append(head.Older, t.Infohash)
	}
	for _, it := range chunks {
		head.Chunks = append(head.Chunks, it.Target)
	}
	value, err := head.Encode()
	if err != nil {
		return err
	}
	seq := max(m.head.Seq+1, now.UnixMilli())
	it, err := lookup.Sign(m.Identity.Publish, st.ID.Salt(), seq, value)
	if err != nil {
		return err
	}
	next := headRecord{Value: value, Seq: seq, Sig: it.Sig, Cycle: head.Cycle}
	kv := append(old.drop, record(keyHead, next), record(mine.key(), mine))
	if err := m.Store.Commit(nil, kv...); err != nil {
		return err
	}
	m.head, m.newest, m.headDone = next, &head, false
	return nil
}

// headChunks is the chunk items of a stream's end, oldest first: cut at
// multiples of wire.ChunkBytes, the last one short.
func (m *Manager) headChunks(length uint64) ([]lookup.Item, error) {
	if length == 0 {
		return nil, nil
	}
	last := (length - 1) / wire.ChunkBytes
	first := uint64(0)
	if last >= wire.HeadChunksMax {
		first = last - wire.HeadChunksMax + 1
	}
	b := make([]byte, length-first*wire.ChunkBytes)
	if n, err := m.Store.ReadStream(b, first*wire.ChunkBytes); n < len(b) {
		return nil, fmt.Errorf("read the stream's end: %w", err)
	}
	var items []lookup.Item
	for len(b) > 0 {
		n := min(len(b), wire.ChunkBytes)
		it, err := lookup.Immutable(wire.ChunkValue(b[:n]))
		if err != nil {
			return nil, err
		}
		items = append(items, it)
		b = b[n:]
	}
	return items, nil
}

// putHead puts the signed head; before that it looks at what is there.
func (m *Manager) putHead(c *cycle) {
	if m.phase != Running {
		m.finish(c)
		return
	}
	it := m.ownHead()
	m.ports.DHT.Put(lookup.Put{Item: it, Remembered: true, Check: m.checkHead}, guard(m, func(s lookup.Stored) {
		c.report.Packets += s.Found.Packets
		c.report.HeadNodes = s.Acknowledged
		if s.Acknowledged > 0 && bytes.Equal(it.Value, m.head.Value) {
			m.headDone, m.headNext = true, m.next()
			c.report.Published = true
		} else if s.Err != nil && m.phase == Running {
			c.report.Problem = "the head was not put, and is tried again: " + s.Err.Error()
		}
		c.report.Publish = m.ports.Clock.Mono() - c.mark
		m.serveAll()
		m.finish(c)
	}))
}

// putCharter puts the charter where nobody has it, once an hour.
func (m *Manager) putCharter() {
	if !m.due(m.charterNext) {
		return
	}
	it, err := lookup.Immutable(m.Store.Charter())
	if err != nil {
		return // the store checked the charter when it was made
	}
	m.charterNext = m.next()
	m.ports.DHT.Put(lookup.Put{Item: it}, guard(m, func(s lookup.Stored) {
		if s.Acknowledged == 0 {
			m.charterNext = 0 // nobody took it: the next cycle tries again
		}
	}))
}

// torrents is what keepTorrents decides.
type torrents struct {
	shown []torrentRecord // for the head: previous, last of an hour, a day, a week ago
	drop  []store.KV      // records no head will need again
}

// hold is how long the manager shows a torrent that nobody else holds.
const hold = 24 * time.Hour

// keepTorrents chooses the older torrents of the next head beside its newest,
// which earlier heads of the same log named too, and thins the records: all of
// the last hour, then one an hour for a day, one a day for eight days.
func (m *Manager) keepTorrents(now time.Time, newest [20]byte) (torrents, error) {
	all, err := readRecords[torrentRecord](m.Store, keyTorrent) // oldest first
	if err != nil {
		return torrents{}, err
	}
	var out torrents
	var left []torrentRecord
	slot := int64(-1)
	for _, t := range all {
		age := now.Sub(time.UnixMilli(t.Time))
		this := t.Time / time.Hour.Milliseconds()
		switch {
		case age > 8*24*time.Hour, age > 25*time.Hour && this/24 == slot/24 && slot >= 0, age > time.Hour+time.Minute && this == slot:
			out.drop = append(out.drop, store.KV{Key: t.key()})
			continue
		}
		slot = this
		left = append(left, t)
	}
	pick := func(age time.Duration) {
		for i := len(left) - 1; i >= 0; i-- {
			t := left[i]
			if now.Sub(time.UnixMilli(t.Time)) < age {
				continue
			}
			if t.Infohash == newest || now.Sub(time.UnixMilli(t.Held)) > hold {
				continue
			}
			for _, s := range out.shown {
				if s.Infohash == t.Infohash {
					return
				}
			}
			out.shown = append(out.shown, t)
			return
		}
	}
	pick(0)
	pick(time.Hour)
	pick(24 * time.Hour)
	pick(7 * 24 * time.Hour)
	return out, nil
}

// serveAll seeds the newest torrent (of them it alone is announced), the older
// ones that the head names, the full volumes and the shelves; it stops what the
// head dropped.
func (m *Manager) serveAll() {
	if m.newest == nil || m.ports.Swarm == nil {
		return
	}
	all, err := readRecords[torrentRecord](m.Store, keyTorrent)
	if err != nil {
		return
	}
	wanted := map[[20]byte]bool{m.newest.Newest: true}
	for _, ih := range m.newest.Older {
		wanted[ih] = true
	}
	m.stopServing(wanted)
	// What is served last is announced first: the newest torrent.
	for m.volumes < m.Store.State().Volumes && m.serveVolume(m.volumes) == nil {
		m.volumes++
	}
	now := m.ports.Clock.Now()
	for _, t := range all {
		if !wanted[t.Infohash] {
			continue
		}
		if !m.serving[t.Infohash] {
			torrent, err := m.Store.TailTorrent(t.Volume, t.Length, t.State)
			if err != nil || torrent.Infohash != t.Infohash {
				continue
			}
			if m.ports.Swarm.Serve(torrent.Info, torrent.Content, t.Infohash == m.newest.Newest) == nil {
				m.serving[t.Infohash] = true
			}
			continue
		}
		if now.Sub(time.UnixMilli(t.Held)) > time.Hour && m.ports.Swarm.Seeders(t.Infohash) > 0 {
			t.Held = now.UnixMilli()
			if m.Store.Commit(nil, record(t.key(), t)) != nil {
				return // the next cycle meets the same disk and says so
			}
		}
	}
}

// serveVolume seeds a full volume, and with the last one of a shelf that too.
func (m *Manager) serveVolume(number int) error {
	torrent, err := m.Store.VolumeTorrent(number)
	if err == nil {
		err = m.ports.Swarm.Serve(torrent.Info, torrent.Content, true)
	}
	if err != nil || (number+1)%wire.ShelfVolumes > 0 {
		return err
	}
	if torrent, err = m.Store.ShelfTorrent(number / wire.ShelfVolumes); err != nil {
		return err
	}
	return m.ports.Swarm.Serve(torrent.Info, torrent.Content, true)
}

// stopServing stops the newest torrents that are not wanted any more, in a
// fixed order. Most of them have no record by now.
func (m *Manager) stopServing(wanted map[[20]byte]bool) {
	all := slices.SortedFunc(maps.Keys(m.serving), func(a, b [20]byte) int { return bytes.Compare(a[:], b[:]) })
	for _, ih := range all {
		if !wanted[ih] {
			m.ports.Swarm.Stop(ih)
			delete(m.serving, ih)
		}
	}
}
