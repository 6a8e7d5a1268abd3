package member

import (
	"strings"
	"testing"
	"time"
)

// behind makes a reader that lacks so many entries of a log, in a tail that has
// had so many before.
func behind(t *testing.T, had, lacks int) (*world, *keeper, *reader) {
	w, k := scene(t)
	k.grow(identity(11), had)
	k.publish()
	r := newReader(t, k, 2)
	w.run(time.Minute)
	r.follows(t, k)
	k.grow(identity(11), lacks)
	k.publish()
	return w, k, r
}

func TestTheCheaperOfChunksAndTorrentIsTakenFirst(t *testing.T) {
	for _, c := range []struct {
		name       string
		had, lacks int
		want       string
	}{
		{"a change behind, a small log", 1, 1, "chunks"},
		{"a change behind, a long tail", 4000, 1, "chunks"},
		{"a few changes behind, a small log", 10, 14, "torrent"},
		{"a few changes behind, a long tail", 6000, 6, "chunks"},
		{"as far behind as chunks reach", 100, 28, "torrent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, k, r := behind(t, c.had, c.lacks)
			first, covered := uint64(0), false
			r.Kick()
			w.run(60 * time.Millisecond) // the head is here
			if first, covered = r.chunksCover(); !covered {
				t.Fatal("chunks do not reach so far")
			}
			t.Logf("chunks %d, torrent %d bytes", r.chunksBytes(first), r.torrentBytes())
			w.run(time.Minute)
			r.follows(t, k)
			if s := r.Status(); !strings.HasPrefix(s.Source, c.want) {
				t.Errorf("it came by %s", s.Source)
			}
		})
	}
}

func TestWhenTheCheaperOneFailsTheOtherIsTaken(t *testing.T) {
	t.Run("a chunk is lost", func(t *testing.T) {
		w, k, r := behind(t, 1, 1)
		delete(w.items, k.newest.Chunks[len(k.newest.Chunks)-1])
		w.run(time.Minute)
		r.follows(t, k)
		if s := r.Status(); !strings.HasPrefix(s.Source, "torrent") {
			t.Errorf("it came by %s", s.Source)
		}
	})
	t.Run("nobody can be reached", func(t *testing.T) {
		w, k, r := behind(t, 100, 28)
		r.swarm.deaf = true
		w.run(90 * time.Second)
		r.follows(t, k)
		if s := r.Status(); !strings.HasPrefix(s.Source, "chunks") {
			t.Errorf("it came by %s", s.Source)
		}
		// It does not wait for torrent peers again as long as chunks will do.
		k.grow(identity(11), 28)
		k.publish()
		r.Kick()
		w.run(2 * time.Second)
		r.follows(t, k)
		// Where they do not, torrents have their turn, and then as before.
		r.swarm.deaf = false
		k.grow(identity(11), 200)
		k.publish()
		w.run(time.Minute)
		r.follows(t, k)
		k.grow(identity(11), 28)
		k.publish()
		w.run(time.Minute)
		r.follows(t, k)
		if s := r.Status(); !strings.HasPrefix(s.Source, "torrent") {
			t.Errorf("it came by %s", s.Source)
		}
	})
}

func TestWhoSparesFollowsAsFarAsChunksReach(t *testing.T) {
	w, k, r := behind(t, 10, 14) // cheaper by torrent
	r.Spare(true)
	w.run(time.Minute)
	r.follows(t, k)
	if s := r.Status(); !strings.HasPrefix(s.Source, "chunks") {
		t.Errorf("it came by %s", s.Source)
	}
	k.grow(identity(11), 200) // chunks do not reach so far
	k.publish()
	w.run(2 * time.Minute)
	if s := r.Status(); s.Phase != Fetching || !strings.Contains(s.Problem, "none are fetched while a limit") {
		t.Errorf("%s: %s", s.Phase, s.Problem)
	}
	r.Spare(false)
	w.run(10 * time.Second)
	r.follows(t, k)
	if s := r.Status(); !strings.HasPrefix(s.Source, "torrent") {
		t.Errorf("it came by %s", s.Source)
	}

	// A fetch that is under way ends.
	k.grow(identity(11), 200)
	k.publish()
	r.swarm.deaf = true
	r.Kick()
	w.run(time.Second)
	if s := r.Status(); !strings.HasPrefix(s.Source, "torrent") || r.run == nil {
		t.Fatalf("it does not fetch: %s", s.Source)
	}
	r.Spare(true)
	if r.run != nil {
		t.Error("it goes on fetching")
	}
}
