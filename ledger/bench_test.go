package ledger

import (
	"testing"
	"time"

	"weir/internal/sign"
	"weir/ledger/wire"
)

// benchWorld is 1024 members who may pay for ever.
func benchWorld(b *testing.B) (*world, []Mail) {
	const members = 1024
	w := newWorld(b, 0)
	w.reader = nil
	var acts [][]byte
	for i := 1; i <= members; i++ {
		w.ids = append(w.ids, identity(i))
		name := "Member " + string([]byte{byte('a' + i/676), byte('a' + i/26%26), byte('a' + i%26)})
		acts = append(acts, w.change(admit(i, name, &wire.Limits{Lower: -wire.IntMax, Upper: wire.IntMax})))
	}
	batch, err := w.try(w.queue(0, acts...))
	if err != nil {
		b.Fatal(err)
	}
	w.state.Adopt(batch)
	w.hashes = append(w.hashes, batch.Hashes...)
	w.state.Charter.Quota = wire.IntMax
	mail := make([]Mail, members)
	for i := range mail {
		n := uint64(i) + 1
		mail[i] = w.mail(n, nil)
		mail[i].Messages = w.sealed(n, w.change(pay(n, n%members+1, 5)))
	}
	return w, mail
}

// sealed is an account's first message.
func (w *world) sealed(account uint64, change []byte) []wire.Message {
	sig := w.sign(account, 1, wire.ChainNext(wire.Hash{}, change))
	return []wire.Message{{Change: change, Sig: sig}}
}

// BenchmarkMerge verifies and merges 1024 transfers of as many members, in
// memory; BenchmarkReplay reads them as a member does. The floor of both,
// measured in turns, is to verify the 1024 signatures in one batch with cached
// keys. Durability is the store's.
func BenchmarkMerge(b *testing.B) {
	w, mail := benchWorld(b)
	verify := sign.NewCached(2048)
	benchmark(b, w, mail, verify, func() {
		queues, problems := VerifyMail(w.state.Digest, mail, verify)
		for _, err := range problems {
			if err != nil {
				b.Fatal(err)
			}
		}
		w.benchMerge(b, queues)
	})
}

func BenchmarkReplay(b *testing.B) {
	w, mail := benchWorld(b)
	verify := sign.NewCached(2048)
	queues, _ := VerifyMail(w.state.Digest, mail, verify)
	batch := w.benchMerge(b, queues)
	benchmark(b, w, mail, verify, func() {
		if _, err := w.state.Replay(batch.Frames, w.hashes, verify); err != nil {
			b.Fatal(err)
		}
	})
}

func (w *world) benchMerge(b *testing.B, queues []Queue) *Batch {
	batch, err := w.state.Merge(MergeInput{
		Now: w.now, Queues: queues, Hashes: w.hashes, Manager: w, Salts: &w.salts,
	})
	if err != nil || len(batch.Entries) != len(queues) || batch.Refused != 0 {
		b.Fatalf("%+v, %v", batch.Fixed, err)
	}
	return batch
}

// benchmark runs f and its floor in turns.
func benchmark(b *testing.B, w *world, mail []Mail, verify sign.Verifier, f func()) {
	var items []sign.Item
	for _, m := range mail {
		chain := wire.ChainNext(m.Before, m.Messages[0].Change)
		items = append(items, sign.Item{
			Key:     m.Key,
			Message: wire.ChangeSigned(w.state.Digest, m.First, chain),
			Sig:     m.Messages[0].Sig,
		})
	}
	verify.Verify(items) // the keys are cached now
	var whole, floor time.Duration
	for b.Loop() {
		start := time.Now()
		verify.Verify(items)
		floor += time.Since(start)
		start = time.Now()
		f()
		whole += time.Since(start)
	}
	b.ReportMetric(float64(b.N*len(mail))/whole.Seconds(), "transfers/s")
	b.ReportMetric(float64(b.N*len(mail))/floor.Seconds(), "floor/s")
	b.ReportMetric(floor.Seconds()/whole.Seconds(), "x-floor")
}
