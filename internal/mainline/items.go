package mainline

import (
	"container/list"
	"sync"
	"time"

	"github.com/anacrolix/dht/v2/bep44"
	"github.com/anacrolix/torrent/bencode"
)

const (
	itemExpiry    = 2 * time.Hour // BEP 44
	itemBytesMax  = 64 << 20      // of all items one node keeps
	itemBytesOver = 512           // what an item costs beside its value and salt
)

// items is a bep44.Store with an end: when it is full, what was put longest ago
// goes first. Putting the same item again makes it new (BEP 44).
type items struct {
	now func() time.Time
	max int // bytes

	mu    sync.Mutex
	by    map[bep44.Target]*list.Element // of order
	order list.List                      // of *storedItem, the oldest first
	bytes int
}

type storedItem struct {
	target bep44.Target
	item   *bep44.Item
	at     time.Time
	bytes  int
}

func newItems(max int, now func() time.Time) *items {
	return &items{now: now, max: max, by: make(map[bep44.Target]*list.Element)}
}

// Put stores an item whose signature and seq the server has checked. The
// server compares cas with the cas of the stored item where BEP 44 says its
// seq, after which that item takes no more puts; so cas is checked here,
// rightly, and never stored.
func (s *items) Put(i *bep44.Item) error {
	kept := *i // with the time it was made, which is private
	raw, err := bencode.Marshal(i.V)
	if err != nil {
		return err
	}
	kept.V = bencode.Bytes(raw) // decoded, a value of small lists takes 40 times the room
	kept.Cas = 0
	e := &storedItem{target: i.Target(), item: &kept, at: s.now(), bytes: len(raw) + len(i.Salt) + itemBytesOver}

	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.by[e.target]; old != nil {
		if was := old.Value.(*storedItem).item; i.Cas != 0 && i.Cas != was.Seq {
			return bep44.ErrCasHashMismatched
		}
		s.remove(old)
	}
	s.by[e.target] = s.order.PushBack(e)
	s.bytes += e.bytes
	for front := s.order.Front(); front != nil; front = s.order.Front() {
		if s.bytes <= s.max && e.at.Sub(front.Value.(*storedItem).at) < itemExpiry {
			break
		}
		s.remove(front)
	}
	return nil
}

// Get implements bep44.Store.
func (s *items) Get(t bep44.Target) (*bep44.Item, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.by[t]
	if e == nil {
		return nil, bep44.ErrItemNotFound
	}
	return e.Value.(*storedItem).item, nil
}

// Del implements bep44.Store.
func (s *items) Del(t bep44.Target) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.by[t]; e != nil {
		s.remove(e)
	}
	return nil
}

func (s *items) remove(e *list.Element) {
	it := s.order.Remove(e).(*storedItem)
	delete(s.by, it.target)
	s.bytes -= it.bytes
}

func (s *items) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.order.Len()
}
