package swarm

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anacrolix/torrent/bencode"
	"github.com/anacrolix/torrent/metainfo"

	"weir/internal/seed"
)

// fetch is one seed.Fetch on its way. One goroutine runs it.
type fetch struct {
	seed.Fetch
	client *Client
	ctx    context.Context
	stop   context.CancelFunc
	wake   chan struct{} // capacity 1: something came
	news   atomic.Int64  // pieces and metadata that came

	// Owned by the goroutine.
	info     []byte
	content  seed.Content // nil: not planned yet
	done     []bool       // its pieces that were there when it was planned
	here     int64        // their bytes
	received int64        // by shares that have been dropped
	wrong    int          // the same

	using sync.Mutex // held during each call of content without a share

	// wide: it may have many connections. With several, the library asks a
	// second torrent peer for what the first is sending already, and half a megabyte
	// comes twice. So one must do as long as it sends. Guarded by Client.mu.
	wide bool
}

const stallDefault = 30 * time.Second

// Fetch implements seed.Swarm. Done is not called after cancel, Stop or Close.
// A write may still be under way when cancel returns, not when Stop does.
func (c *Client) Fetch(in seed.Fetch) (cancel func()) {
	if in.Stall <= 0 {
		in.Stall = stallDefault
	}
	if in.First <= 0 || in.First > in.Stall {
		in.First = in.Stall
	}
	f := &fetch{Fetch: in, client: c, wake: make(chan struct{}, 1)}
	f.ctx, f.stop = context.WithCancel(c.ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		f.stop()
		return f.stop
	}
	c.fetches[f] = struct{}{}
	c.work.Go(f.run)
	return f.stop
}

func (f *fetch) run() {
	err := f.get()
	f.client.mu.Lock()
	delete(f.client.fetches, f)
	f.client.mu.Unlock()
	f.post(func() {
		f.stop()
		f.Done(seed.Result{Received: f.received, Here: f.here, Info: f.info, Err: err})
	})
}

// post runs g on the loop unless the fetch has been stopped by then.
func (f *fetch) post(g func()) {
	if f.ctx.Err() != nil {
		return
	}
	f.client.config.Post(func() {
		if f.ctx.Err() == nil {
			g()
		}
	})
}

// poke says that something came.
func (f *fetch) poke() {
	f.news.Add(1)
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// get ends when the content is complete, or with the reason why it is not.
func (f *fetch) get() error {
	for {
		s, mine, err := f.client.claim(f)
		if err != nil {
			return err
		}
		if mine {
			again, err := f.download(s)
			if !again {
				return err
			}
			continue
		}
		select {
		case <-f.ctx.Done():
			return f.ctx.Err()
		case <-s.over: // somebody else's fetch of the same
		}
		if f.client.isHere(s) {
			return f.copy(s)
		}
	}
}

// claim gives the share of an infohash, which is made if there is none.
func (c *Client) claim(f *fetch) (s *share, mine bool, err error) {
	c.admin.Lock()
	defer c.admin.Unlock()
	if f.ctx.Err() != nil {
		return nil, false, f.ctx.Err()
	}
	if s := c.share(f.Infohash); s != nil {
		return s, false, nil
	}
	s = c.newShare(f.Infohash, &storage{
		content: f.content, here: f.done, write: true, news: f.poke,
		trouble: func() { f.poke(); c.kick() },
	})
	s.info, s.fetch = f.info, f
	s.known.add(f.Peers...)
	if err := c.add(s, f.info); err != nil {
		return nil, false, err
	}
	if f.info != nil {
		s.lib.DownloadAll()
	}
	return s, true, nil
}

func (c *Client) isHere(s *share) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shares[s.infohash] == s && s.fetch == nil
}

// copy takes what is missing from the same torrent, which is here already.
func (f *fetch) copy(s *share) error {
	f.client.mu.Lock()
	info := s.info
	f.client.mu.Unlock()
	if f.content == nil {
		if err := f.plan(info); err != nil {
			return err
		}
	}
	for i := 0; s.store.size(i) > 0 && f.ctx.Err() == nil; i++ {
		off, size := int64(i)*s.store.unit, s.store.size(i)
		if i < len(f.done) && f.done[i] {
			continue
		}
		b := make([]byte, size)
		if err := s.store.readAt(b, off); err != nil {
			return fmt.Errorf("copy from a torrent that is here: %w", err)
		}
		if !s.store.genuine(i, b) {
			return fmt.Errorf("copy from a torrent that is here: piece %d does not verify", i)
		}
		if err := f.write(b, off); err != nil {
			return err
		}
	}
	return f.ctx.Err()
}

// write writes to the content unless the fetch has been stopped.
func (f *fetch) write(b []byte, off int64) error {
	f.using.Lock()
	defer f.using.Unlock()
	if f.ctx.Err() != nil {
		return f.ctx.Err()
	}
	n, err := f.content.WriteAt(b, off)
	if err == nil && n != len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return fmt.Errorf("write a piece: %w", err)
	}
	return nil
}

// plan asks the loop where the bytes go.
func (f *fetch) plan(info []byte) error {
	var c seed.Content
	var have int64
	var err error
	planned := make(chan struct{})
	f.post(func() {
		c, have, err = f.Plan(info)
		close(planned)
	})
	select {
	case <-f.ctx.Done():
		return f.ctx.Err()
	case <-planned:
	}
	if err == nil && c == nil {
		err = fmt.Errorf("plan a fetch: no content")
	}
	f.info, f.content = info, c
	if err != nil {
		return err
	}
	return f.check(have)
}

// check finds out which pieces are there. With Resume it reads and hashes, on
// the fetch's goroutine: that may be a gigabyte.
func (f *fetch) check(have int64) error {
	var info metainfo.Info
	if err := bencode.Unmarshal(f.info, &info); err != nil {
		return fmt.Errorf("read the info dictionary: %w", err)
	}
	if err := checkInfo(&info); err != nil {
		return err
	}
	f.using.Lock()
	defer f.using.Unlock()
	more := func() bool { return f.Resume && f.ctx.Err() == nil }
	f.done, f.here = seed.Held(f.content, info.Pieces, info.PieceLength, info.TotalLength(), have, more)
	return f.ctx.Err()
}

// settle waits for a call of the content without the share to end.
func (f *fetch) settle() {
	f.using.Lock()
	defer f.using.Unlock()
}
