package member

import (
	"strings"
	"testing"
	"time"

	"weir/internal/lookup"
	"weir/ledger/wire"
)

// polls answers polls of one key as two remembered holders would. Of what they
// hold, reply makes something else.
type polls struct {
	*host
	all    []lookup.Poll
	reply  func(p lookup.Poll, r *lookup.Polled)
	silent bool
}

func (p *polls) Poll(q lookup.Poll, each func(int, lookup.Polled), done func(lookup.PollReport)) {
	p.all = append(p.all, q)
	seq := q.Keys[0].Seq
	p.after(50*time.Millisecond, func() {
		var r lookup.Polled
		switch found := p.find(mutableGet(q.Keys[0].Key, q.Salt)); {
		case q.Traverse:
			r = found.Polled(seq)
		case !p.silent:
			r = lookup.Polled{Answered: 2, Fresh: 2, Holding: 2}
			if found.Item != nil && found.Item.Seq > seq {
				r.Item = found.Item
			}
		}
		if p.reply != nil {
			p.reply(q, &r)
		}
		each(0, r)
		done(lookup.PollReport{})
	})
}

// walks counts the traversals among the polls since the last call.
func (p *polls) walks() (walks, all int) {
	for _, q := range p.all {
		if q.Traverse {
			walks++
		}
	}
	all, p.all = len(p.all), nil
	return walks, all
}

// polling is a reader that has a poller and has followed once.
func polling(t testing.TB, w *world, k *keeper) (*reader, *polls) {
	h := w.host(2)
	p := &polls{host: h}
	h.poller = p
	r := newReaderOn(t, k, h)
	w.run(2 * time.Second)
	r.follows(t, k)
	return r, p
}

func TestOneLookInTenIsATraversal(t *testing.T) {
	w, k := scene(t)
	r, p := polling(t, w, k)
	if walks, all := p.walks(); walks != 1 || all != 1 {
		t.Fatalf("the first look: %d polls, %d of them traversals", all, walks)
	}
	gets := len(r.gets)
	w.run(30 * time.Minute)
	walks, all := p.walks()
	if all < 50 || walks < all/10 || walks > all/10+1 {
		t.Errorf("%d traversals in %d looks", walks, all)
	}
	if charters := len(r.gets) - gets; charters > 1 {
		t.Errorf("%d look-ups beside the polls", charters)
	}
}

func TestANewHeadThatAPollFindsIsFollowed(t *testing.T) {
	w, k := scene(t)
	r, p := polling(t, w, k)
	for range 5 {
		k.grow(identity(11), 1)
		k.publish()
		w.run(45 * time.Second)
		r.follows(t, k)
	}
	if walks, all := p.walks(); walks > 1 || all < 6 {
		t.Errorf("%d traversals in %d looks", walks, all)
	}
}

func TestHoldersThatFallShortAreNotBelieved(t *testing.T) {
	for name, reply := range map[string]func(lookup.Poll, *lookup.Polled){
		"one fresh answer": func(q lookup.Poll, r *lookup.Polled) { r.Answered, r.Fresh, r.Holding = 2, 1, 1 },
		"no answer":        func(q lookup.Poll, r *lookup.Polled) { *r = lookup.Polled{} },
	} {
		t.Run(name, func(t *testing.T) {
			w, k := scene(t)
			r, p := polling(t, w, k)
			p.reply = func(q lookup.Poll, r *lookup.Polled) {
				if !q.Traverse { // and the news are withheld
					r.Item = nil
					reply(q, r)
				}
			}
			p.walks()
			k.grow(identity(11), 1)
			k.publish()
			w.run(37 * time.Second)
			r.follows(t, k)
			if walks, all := p.walks(); walks != 1 || all != 2 {
				t.Errorf("%d polls, %d of them traversals", all, walks)
			}
		})
	}
}

func TestWithoutAnyAnswerItSaysSoAndLooksNoMoreOften(t *testing.T) {
	w, k := scene(t)
	r, p := polling(t, w, k)
	r.offline, p.silent = true, true
	p.walks()
	w.run(10 * time.Minute)
	if walks, all := p.walks(); walks < 15 || all > walks+1 || walks > 26 {
		t.Errorf("%d polls, %d of them traversals", all, walks)
	}
	if s := r.Status(); !strings.Contains(s.Problem, "no DHT node answered") || s.Answered != 0 || s.Phase != Current {
		t.Errorf("%+v", s)
	}
	r.offline, p.silent = false, false
	w.run(40 * time.Second)
	if s := r.Status(); s.Problem != "" || s.Answered == 0 {
		t.Errorf("%+v", s)
	}
}

func TestTwoHeadsWithOneSeqAreSaidUntilATraversalSeesOne(t *testing.T) {
	w, k := scene(t)
	r, p := polling(t, w, k)
	other := k.newest
	other.Cycle++ // the same log: no contradiction, and yet two machines
	it := k.signed(other, k.seq)
	p.reply = func(q lookup.Poll, r *lookup.Polled) {
		if q.Traverse {
			r.Conflicts = []lookup.Item{it}
		}
	}
	w.run(7 * time.Minute)
	if s := r.Status(); !strings.Contains(s.Problem, "two heads") {
		t.Fatalf("%+v", s)
	}
	w.run(time.Minute) // by polls alone
	if s := r.Status(); !strings.Contains(s.Problem, "two heads") {
		t.Fatalf("%+v", s)
	}
	p.reply = nil
	w.run(7 * time.Minute)
	if s := r.Status(); s.Problem != "" {
		t.Fatalf("%+v", s)
	}
}

func TestAForkThatATraversalMeetsIsEvidence(t *testing.T) {
	w, k := scene(t)
	r, p := polling(t, w, k)
	forked := k.newest
	forked.Checkpoint = wire.SignCheckpoint(k.db.State().ID, k.id.Log, k.newest.Checkpoint.Size, wire.Hash{9})
	it := k.signed(forked, k.seq)
	p.reply = func(q lookup.Poll, r *lookup.Polled) {
		if q.Traverse {
			r.Conflicts = []lookup.Item{it}
		}
	}
	w.run(7 * time.Minute)
	if s := r.Status(); s.Phase != Stopped || !strings.Contains(s.Reason, "signed") {
		t.Fatalf("%+v", s)
	}
}

func TestAHolderThatLostTheHeadIsGivenItAgain(t *testing.T) {
	w, k := scene(t)
	r, p := polling(t, w, k)
	p.reply = func(q lookup.Poll, r *lookup.Polled) {
		if !q.Traverse {
			r.Holding, r.Behind = 1, []lookup.Holder{{Seq: -1}}
		}
	}
	before := r.putTimes(k.headTarget())
	w.run(4 * time.Minute)
	if n := r.putTimes(k.headTarget()) - before; n != 1 {
		t.Errorf("it was put %d times", n)
	}
}
