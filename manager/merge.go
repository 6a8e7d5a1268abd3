package manager

import (
	"errors"
	"fmt"

	"weir/internal/sign"
	"weir/keys"
	"weir/ledger"
	"weir/ledger/outbox"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// merge decides every change that waits.
func (m *Manager) merge(c *cycle) error {
	st := m.Store.State()
	var mail []ledger.Mail
	var from []*member
	var kv []store.KV
	for _, a := range st.Accounts() {
		l, ok := m.members[a.Key]
		if a.Number == 0 || !ok || l.item == nil {
			continue
		}
		messages, evidence := m.waiting(c, a, l)
		if len(messages) > 0 {
			mail = append(mail, ledger.Mail{Account: a.Number, Key: a.Key, First: a.Last + 1, Before: a.Chain, Messages: messages})
			from = append(from, l)
		}
		if evidence != nil {
			pair, err := m.evidence(*evidence)
			if err != nil {
				return fmt.Errorf("keep evidence: %w", err)
			}
			kv = append(kv, pair...)
		}
	}
	queues, problems := ledger.VerifyMail(st.Digest, mail, m.ports.Verify)
	for i, err := range problems {
		if err != nil {
			from[i].problem = err.Error()
			m.dismiss(c, mail[i].Key, wire.AppendMessage(nil, mail[i].Messages[len(queues[i].Changes)]))
		}
	}
	if len(queues) == 0 && len(kv) == 0 {
		return nil
	}
	batch, err := st.Merge(ledger.MergeInput{
		Now: m.ports.Clock.Now().UnixMilli(), Queues: queues, Hashes: m.Store, Manager: &m.Desk, Salts: m.Random,
	})
	if err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	var batches []*ledger.Batch
	if batch != nil {
		batches = append(batches, batch)
	}
	if len(batches) == 0 && len(kv) == 0 {
		return nil
	}
	if err := m.Store.Commit(batches, kv...); err != nil {
		return err // it says what
	}
	if batch != nil {
		for _, d := range batch.Entries {
			if d.Entry.Account == 0 {
				continue
			}
			if d.Entry.Verdict == wire.Applied {
				c.report.Accepted++
			} else {
				c.report.Refused++
			}
		}
	}
	return nil
}

// waiting gives a member's messages after its last entry, as far as they are
// here and whole: what is wrong behind them does not hold them up. A window
// that does not continue the log becomes the outbox's problem, and, where a
// number was signed twice, evidence.
func (m *Manager) waiting(c *cycle, a ledger.Account, l *member) ([]wire.Message, *wire.Evidence) {
	messages, err := l.receiver.Messages(a.Last, a.Chain)
	if err == nil {
		return messages, nil
	}
	l.problem = err.Error()
	m.dismiss(c, a.Key, l.item.Value)
	if errors.Is(err, outbox.ErrChain) {
		return messages, m.doubled(a, l)
	}
	return messages, nil
}

// dismiss counts a message that is no valid change, once.
func (m *Manager) dismiss(c *cycle, k keys.Public, message []byte) {
	if m.dismissed.add(k, message) {
		c.report.Refused++
	}
}

// doubled looks for a number that a member signed twice.
func (m *Manager) doubled(a ledger.Account, l *member) *wire.Evidence {
	for _, s := range l.receiver.Signed() {
		if s.Number > a.Last {
			break
		}
		d, ok, err := m.Store.Find(a.Number, s.Number)
		if err != nil || !ok || d.Entry.Chain == s.Chain {
			continue
		}
		signed := sign.Item{Key: a.Key, Message: wire.ChangeSigned(m.Store.State().Digest, s.Number, s.Chain), Sig: s.Sig}
		if !m.ports.Verify.Verify([]sign.Item{signed})[0] {
			continue
		}
		return &wire.Evidence{Kind: wire.EvidenceChanges, Changes: [2]wire.SignedNumber{
			{Key: a.Key, Number: s.Number, Chain: d.Entry.Chain, Sig: d.Entry.Sig},
			{Key: a.Key, Number: s.Number, Chain: s.Chain, Sig: s.Sig},
		}}
	}
	return nil
}
