package loop

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"
)

// A time with a monotonic reading prints it as m=±…; differences of two such
// times are those of the monotonic clock, and a leap would never be seen.
func TestNowIsTheWallClockAlone(t *testing.T) {
	if s := New().Now().String(); strings.Contains(s, "m=") {
		t.Errorf("%s has a monotonic reading", s)
	}
}

func TestMonoGoesForwardFromAboutZero(t *testing.T) {
	l := New()
	a := l.Mono()
	b := l.Mono()
	if a < 0 || a > time.Minute || b < a {
		t.Errorf("%s, then %s", a, b)
	}
}

func TestWhatIsPostedRunsInOrderAndNothingAfterTheEnd(t *testing.T) {
	l := New()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	var ran []int
	for i := range 100 {
		l.Post(func() { ran = append(ran, i) })
	}
	l.Post(cancel)
	l.Post(func() { t.Error("it ran after the end") })
	go func() { l.Run(ctx); close(ended) }()
	<-ended
	for i, n := range ran {
		if i != n {
			t.Fatalf("number %d ran as number %d", n, i)
		}
	}
	if len(ran) != 100 {
		t.Errorf("%d ran", len(ran))
	}
	l.Post(func() { t.Error("it ran after the end") })
	if err := l.Call(ctx, func() {}); err == nil {
		t.Error("a call after the end was answered")
	}
}

func TestACallThatIsGivenUpDoesNotRunAndOneThatRunsIsWaitedFor(t *testing.T) {
	l := New()
	run, end := context.WithCancel(context.Background())
	given, giveUp := context.WithCancel(context.Background())
	giveUp()
	if err := l.Call(given, func() { t.Error("it ran") }); err == nil {
		t.Error("a call that did not run was answered")
	}
	ended := make(chan struct{})
	go func() { defer close(ended); l.Run(run) }()
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	slow := func() {
		cancel()
		for range 1000 {
			runtime.Gosched()
		}
		n++
	}
	if err := l.Call(ctx, slow); err != nil || n != 1 {
		t.Errorf("%v, with %d", err, n)
	}
	end()
	<-ended
}

func TestACancelledTimerDoesNotRun(t *testing.T) {
	l := New()
	ctx, cancel := context.WithCancel(context.Background())
	var stop func()
	l.Post(func() {
		stop = l.After(0, func() { t.Error("it ran") })
		stop()
		l.After(time.Millisecond, cancel)
	})
	l.Run(ctx)
}
