package bench

import (
	"context"
	"fmt"
	"time"

	"weir/internal/sign"
	"weir/ledger"
	"weir/ledger/wire"
)

const (
	mergeBatch  = 1024 // transfers, of as many members
	mergeRounds = 40
)

// merge verifies, decides and commits transfers durably, a batch of 1024 at a
// time, and in turn verifies the same signatures alone, on one core, with their
// keys cached: the floor.
func merge(ctx context.Context, o Options) error {
	o.Note(fmt.Sprintf("admitting %d members", mergeBatch))
	b, err := newBook(o.Dir, o.Seed, mergeBatch)
	if err != nil {
		return err
	}
	defer b.close()
	alone := sign.NewCached(mergeBatch)
	var whole, floor time.Duration
	for round := -2; round < mergeRounds; round++ { // the first two fill the caches
		if err := ctx.Err(); err != nil {
			return err
		}
		o.Note(fmt.Sprintf("batch %d of %d", max(round+1, 0), mergeRounds))
		mail, err := b.mail(mergeBatch)
		if err != nil {
			return err
		}
		items := signatures(b.digest, mail)
		began := time.Now()
		for _, valid := range alone.Verify(items) {
			if !valid {
				return fmt.Errorf("a signature of ours does not verify")
			}
		}
		verified := time.Now()
		if err := b.take(mail); err != nil {
			return err
		}
		if round >= 0 {
			floor += verified.Sub(began)
			whole += time.Since(verified)
		}
	}
	per := func(d time.Duration) float64 { return mergeBatch * mergeRounds / d.Seconds() }
	o.Emit(Case{Case: "verify and apply transfers, durable", Unit: "per second", Seed: o.Seed}.against(per(whole), per(floor)))
	return nil
}

// signatures are the messages of mail as they are verified.
func signatures(d wire.Digest, mail []ledger.Mail) []sign.Item {
	var items []sign.Item
	for _, m := range mail {
		h, n := m.Before, m.First
		for _, msg := range m.Messages {
			h = wire.ChainNext(h, msg.Change)
			items = append(items, sign.Item{Key: m.Key, Message: wire.ChangeSigned(d, n, h), Sig: msg.Sig})
			n++
		}
	}
	return items
}
