package swarm

import (
	"fmt"
	"time"

	"weir/internal/seed"
)

const (
	narrowMax        = 15 * time.Second // after which one torrent peer is too slow
	tickMax          = 250 * time.Millisecond
	lookAgainMax     = 5 * time.Minute
	progressInterval = 500 * time.Millisecond
)

// download brings everything that is missing. again: the share was taken away
// by Serve, look what is there now.
func (f *fetch) download(s *share) (again bool, err error) {
	err = f.watch(s)
	c := f.client
	c.admin.Lock()
	defer c.admin.Unlock()
	if c.share(s.infohash) != s { // Serve or Stop dropped it
		f.account(s)
		return f.ctx.Err() == nil, f.ctx.Err()
	}
	if err == nil && f.ctx.Err() == nil {
		s.lib.DisallowDataDownload()
		s.lib.SetMaxEstablishedConns(establishedMax)
		s.store.seal()
		f.account(s)
		c.mu.Lock()
		s.fetch = nil
		close(s.over)
		c.mu.Unlock()
		return false, nil
	}
	c.drop(s)
	f.account(s)
	if err == seed.ErrStalled && f.wrong > 0 {
		err = fmt.Errorf("%w: %d pieces that were sent did not verify", err, f.wrong)
	}
	return false, err
}

// account adds up what a share has received.
func (f *fetch) account(s *share) {
	stats := s.lib.Stats()
	f.received += stats.ConnStats.BytesRead.Int64()
	f.client.mu.Lock()
	f.wrong += s.wrong
	s.wrong = 0
	f.client.mu.Unlock()
}

// watch is what is looked at while a share is being fetched.
type watch struct {
	*fetch
	share    *share
	begun    time.Time
	last     time.Time     // something came
	seen     int64         // so much had come then
	lookAt   time.Time     // not before then for more torrent peers
	pause    time.Duration // between two such looks
	afresh   bool          // it has been started once more
	shown    int64         // bytes, by Progress
	reported time.Time
}

// watch waits until a share is complete, and helps: with torrent peers when
// nothing comes, once with a fresh start, and in the end with ErrStalled.
func (f *fetch) watch(s *share) error {
	now := time.Now()
	w := watch{fetch: f, share: s, begun: now, last: now, seen: f.news.Load(), pause: f.client.retry, shown: -1}
	ticker := time.NewTicker(min(tickMax, f.First/8))
	defer ticker.Stop()
	for {
		if f.content == nil {
			if info := f.client.metadataOf(s); info != nil {
				if err := f.begin(s, info); err != nil {
					return err
				}
				w.last = time.Now()
			}
		}
		left, _, _, err := s.store.progress()
		if err != nil {
			return err
		}
		if f.content != nil && left == 0 {
			return nil
		}
		select {
		case <-f.ctx.Done():
			return f.ctx.Err()
		case <-s.over:
			return nil
		case <-f.wake:
		case now := <-ticker.C:
			if err := w.tick(now); err != nil {
				return err
			}
		}
	}
}

// tick does what is due.
func (w *watch) tick(now time.Time) error {
	c := w.client
	if n := w.news.Load(); n != w.seen {
		w.last, w.seen, w.pause = now, n, c.retry
	}
	quiet := now.Sub(w.last)
	limit, afresh := w.limits()
	if quiet >= limit {
		return seed.ErrStalled
	}
	if quiet >= afresh && !w.afresh {
		w.afresh = true
		w.startAfresh(w.share)
	}
	if quiet >= c.retry && c.occupied(w.share, now) || now.Sub(w.begun) >= narrowMax {
		w.widen(w.share)
	}
	if w.lookAt.IsZero() || now.After(w.lookAt) && quiet >= w.pause {
		w.lookAt = now.Add(w.pause)
		w.pause = min(2*w.pause, lookAgainMax)
		c.look(w.share, false)
	}
	c.askMetadata(w.share, now)
	w.report(now)
	return nil
}

// limits is how long nothing may come, and after how long of that a fresh start
// is worth it. Those that hang have the info dictionary: before it is here, a
// fresh start soon would only cut off who is slow.
func (w *watch) limits() (limit, afresh time.Duration) {
	_, have, _, _ := w.share.store.progress()
	switch {
	case w.content == nil:
		return w.First, w.Stall / 2
	case have <= w.here:
		return w.First, w.First / 2
	}
	return w.Stall, w.Stall / 2
}

// report calls Progress now and then.
func (w *watch) report(now time.Time) {
	_, have, length, _ := w.share.store.progress()
	if w.Progress == nil || w.content == nil || have == w.shown || now.Sub(w.reported) < progressInterval {
		return
	}
	w.reported, w.shown = now, have
	w.post(func() { w.Progress(have, length) })
}

// begin gives the library the info dictionary once Plan has read it.
func (f *fetch) begin(s *share, info []byte) error {
	if err := f.plan(info); err != nil {
		return err
	}
	c := f.client
	c.admin.Lock()
	defer c.admin.Unlock()
	if c.share(s.infohash) != s {
		return nil
	}
	s.store.mu.Lock()
	s.store.here = f.done
	s.store.mu.Unlock()
	s.store.exchange(f.content, true)
	if err := s.lib.SetInfoBytes(info); err != nil {
		return fmt.Errorf("read the info dictionary: %w", err)
	}
	s.lib.DownloadAll()
	return nil
}

// occupied: a torrent peer has had its time to send something.
func (c *Client) occupied(s *share, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.conns {
		if k.share == s && now.Sub(k.begun) >= c.retry {
			return true
		}
	}
	return false
}

// widen lets a fetch have many connections.
func (f *fetch) widen(s *share) {
	c := f.client
	c.admin.Lock()
	defer c.admin.Unlock()
	c.mu.Lock()
	done := f.wide || c.shares[s.infohash] != s
	f.wide = true
	c.mu.Unlock()
	if !done {
		s.lib.SetMaxEstablishedConns(establishedMax)
		c.offer(s, c.everybody(s))
	}
}

// startAfresh drops the connections of a share and makes new ones: a fetch in
// thirty hangs otherwise.
func (f *fetch) startAfresh(s *share) {
	c := f.client
	c.admin.Lock()
	defer c.admin.Unlock()
	if c.share(s.infohash) != s {
		return
	}
	s.lib.Drop()
	f.account(s)
	c.register(s, f.info)
	if f.info != nil {
		s.lib.DownloadAll()
	}
	c.offer(s, c.everybody(s))
}
