package manager

import "testing"

func TestNoMemberMakesCyclesWaitForItsChunksAgainAndAgain(t *testing.T) {
	var l member
	waited := 0
	for range 10_000 { // it shows the chunks that nobody waits for, and never the others
		if l.distrust == 0 {
			waited++
			l.trust(false)
		} else {
			l.trust(true)
		}
	}
	if waited > distrustDoubled+3 {
		t.Errorf("cycles waited in vain %d times", waited)
	}
	for range distrustChunk << distrustDoubled {
		l.trust(true)
	}
	if l.distrust != 0 {
		t.Error("whoever keeps its chunks is to be waited for again")
	}
}
