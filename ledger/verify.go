package ledger

import (
	"errors"
	"fmt"

	"weir/internal/sign"
	"weir/keys"
	"weir/ledger/wire"
)

// ErrSignature is wrapped when a message's signature does not verify: forged,
// damaged, or signed over another chain.
var ErrSignature = errors.New("the signature does not verify")

// Mail is the messages of one account as its window carried them: number First
// on, Before being the chain before First.
type Mail struct {
	Account  uint64
	Key      keys.Public
	First    uint64
	Before   wire.Hash
	Messages []wire.Message
}

// VerifyMail checks chain and signatures of many accounts' messages, all
// signatures together, 1024 at a time: a signature then costs a third of what
// it costs alone. Queue i and error i belong to mail i: the candidates before
// the first message that is wrong, and what is wrong with it.
func VerifyMail(d wire.Digest, mail []Mail, verify sign.Verifier) ([]Queue, []error) {
	queues, problems := make([]Queue, len(mail)), make([]error, len(mail))
	var items []sign.Item
	for i, m := range mail {
		queues[i].Account = m.Account
		queues[i].Changes, problems[i] = m.chain()
		for _, c := range queues[i].Changes {
			items = append(items, sign.Item{
				Key:     m.Key,
				Message: wire.ChangeSigned(d, c.Number, c.Chain),
				Sig:     c.Sig,
			})
		}
	}
	valid := make([]bool, 0, len(items))
	for rest := items; len(rest) > 0; {
		n := min(len(rest), verifyBatch)
		valid = append(valid, verify.Verify(rest[:n])...)
		rest = rest[n:]
	}
	for i := range queues {
		changes := queues[i].Changes
		for j := range changes {
			if !valid[j] {
				queues[i].Changes = changes[:j]
				problems[i] = fmt.Errorf("verify change %d: %w", changes[j].Number, ErrSignature)
				break
			}
		}
		valid = valid[len(changes):]
	}
	return queues, problems
}

// chain numbers and chains the messages, up to the first that does not decode.
func (m Mail) chain() ([]Candidate, error) {
	candidates := make([]Candidate, 0, len(m.Messages))
	h := m.Before
	for i, msg := range m.Messages {
		number := m.First + uint64(i)
		if number == 0 || number > wire.IntMax {
			return candidates, fmt.Errorf("verify change %d: no such number", number)
		}
		if _, err := wire.ParseChange(msg.Change); err != nil {
			return candidates, fmt.Errorf("verify change %d: %w", number, err)
		}
		h = wire.ChainNext(h, msg.Change)
		candidates = append(candidates, Candidate{number, msg.Change, h, msg.Sig})
	}
	return candidates, nil
}

// VerifyMessages is VerifyMail for one account's messages from number first
// on; before is the chain before it. It gives the candidates before the first
// that is wrong, and what is wrong with it.
func VerifyMessages(d wire.Digest, key keys.Public, first uint64, before wire.Hash, messages []wire.Message, verify sign.Verifier) ([]Candidate, error) {
	mail := Mail{Key: key, First: first, Before: before, Messages: messages}
	queues, problems := VerifyMail(d, []Mail{mail}, verify)
	return queues[0].Changes, problems[0]
}
