package member

import (
	"errors"
	"fmt"
	"time"

	"weir/ledger/wire"
)

// Status is how things stand by what is stored: what Member.Status says, as far
// as it needs no network.
func (d *Desk) Status() (MemberStatus, error) {
	st := d.Store.State()
	s := MemberStatus{Status: Status{
		Phase: Offline, ID: st.ID, Name: st.Charter.Name, Size: st.Size, Root: st.Root, Length: st.Length,
	}}
	var err error
	if s.Reason, _, err = readRecord[string](d.Store, keyStopped); err != nil {
		return s, err
	}
	s.Succession, _, err = Succession(d.Store)
	if err != nil {
		return s, err
	}
	s.Awaited = s.Succession.Number > st.Terms().Newest().Number
	join, _, err := readRecord[joinRecord](d.Store, keyJoin)
	if err != nil {
		return s, err
	}
	s.Joining, s.Approval = join.State, st.Charter.Approval
	known, ok, err := readRecord[itemRecord](d.Store, keyHead)
	if err != nil {
		return s, err
	}
	if ok {
		h, err := wire.ParseHead(known.Value)
		if err != nil {
			return s, fmt.Errorf("the stored head: %w", err)
		}
		s.saw(h, d.Now(), st.Charter)
	}
	d.own(&s)
	return s, nil
}

// saw notes the newest head.
func (s *Status) saw(h *wire.Head, now time.Time, c *wire.Charter) {
	s.Head = time.UnixMilli(h.Time)
	s.Age = now.Sub(s.Head)
	s.Stale = s.Age > time.Duration(c.Stale)*time.Second
	s.Cycle, s.Newest = h.Cycle, h.Checkpoint.Size
}

// own notes the own account and outbox.
func (d *Desk) own(s *MemberStatus) {
	a, err := d.Account()
	if errors.Is(err, ErrReplaced) {
		s.Joining, s.Foreign = Admitted, err.Error()
	}
	if errors.Is(err, ErrNotAdmitted) && s.Joining != Asking {
		s.Unkeyed = d.unkeyed()
	}
	s.VoidLost = d.lostNumbers()
	if err != nil {
		return
	}
	s.Joining = Admitted
	s.Account = &Account{
		Number: a.Number, Name: a.Name, Balance: a.Balance, Limits: a.Limits, Suspended: a.Suspended, Last: a.Last,
	}
	if why, ok, err := readRecord[string](d.Store, keyForeign); err == nil && ok {
		s.Foreign = fmt.Sprintf("%v: %s. Nothing is handed over any more; if no other device is to go on with this key, take over from the log here with weir member takeover", ErrOtherDevice, why)
		return
	}
	if r, ok, err := readRecord[restoredRecord](d.Store, keyRestored); err == nil && ok {
		s.Restored = r.err().Error()
		return
	}
	rec, _, err := readRecord[outboxRecord](d.Store, keyItem)
	sender, serr := d.ready()
	if err = errors.Join(err, serr); err != nil {
		s.Trouble = err.Error()
		return
	}
	left, err := d.left()
	if err != nil {
		s.Trouble = err.Error()
		return
	}
	s.Waiting, s.Handed, s.Seq, s.Nodes = len(sender.Waiting())+len(left.Messages), sender.Handed(), rec.Seq, rec.Nodes
	s.Void, s.VoidRefused = d.voids()
}
