package main

import (
	"context"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"weir/internal/host"
)

// lookEach is how often whoever waits is told how things stand.
const lookEach = time.Second

// during does f, which waits for something, and meanwhile shows what is known of
// it: a line that is overwritten, on a terminal alone, and notes that nobody should
// miss, which say says once.
func (p *program) during(c *cli.Context, call caller, say func(host.MemberStatusView) (line, note string), f func() error) error {
	ctx, cancel := context.WithCancel(c.Context)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.tell(ctx, call, say)
	}()
	err := f()
	cancel()
	<-ended
	p.progress("")
	return err
}

// tell looks again and again until ctx ends.
func (p *program) tell(ctx context.Context, call caller, say func(host.MemberStatusView) (line, note string)) {
	again := time.NewTicker(lookEach)
	defer again.Stop()
	for {
		var v host.MemberStatusView
		if err := call("member status", nil, &v); err == nil && ctx.Err() == nil {
			line, note := say(v)
			p.remark(note)
			p.progress(line)
		}
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}

// silentFor is how long a silence of the DHT is nothing to speak of.
const silentFor = 2 * time.Second

// silence says for how long no DHT node has answered somebody who began to wait at
// a time; "": one has, or it is too early to say.
func silence(v host.MemberStatusView, began time.Time) string {
	waited := time.Since(began)
	last, err := time.Parse(time.RFC3339, v.Answered)
	if waited < silentFor || err == nil && !last.Before(began.Truncate(time.Second)) {
		return ""
	}
	return fmt.Sprintf("no DHT node has answered for %d s", int(waited.Seconds()))
}

// heard says when the manager last published something.
func heard(v host.MemberStatusView) string {
	if v.HeadTime == "" {
		return "nothing of it found yet"
	}
	return "last heard " + ago(v.HeadTime)
}
