package ledger

import (
	"errors"
	"reflect"
	"testing"

	"weir/internal/sign"
	"weir/ledger/wire"
)

// messages signs n changes of an account from its first number on.
func (w *world) messages(account uint64, n int) []wire.Message {
	var list []wire.Message
	var chain wire.Hash
	for i := range n {
		c := w.change(pay(account, account%3+1, int64(i)+1))
		chain = wire.ChainNext(chain, c)
		list = append(list, wire.Message{Change: c, Sig: w.sign(account, uint64(i)+1, chain)})
	}
	return list
}

func (w *world) mail(account uint64, messages []wire.Message) Mail {
	return Mail{Account: account, Key: w.ids[account].Public(), First: 1, Messages: messages}
}

func TestVerifiedMessagesAreNumberedAndChained(t *testing.T) {
	w := newWorld(t, 3)
	messages := w.messages(1, 5)
	var want []Candidate
	var chain wire.Hash
	for i, m := range messages {
		chain = wire.ChainNext(chain, m.Change)
		want = append(want, Candidate{uint64(i) + 1, m.Change, chain, m.Sig})
	}
	key := w.ids[1].Public()
	got, err := VerifyMessages(w.state.Digest, key, 1, wire.Hash{}, messages, sign.ZIP215{})
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v, %v", got, err)
	}
	// From the middle, with the chain there.
	got, err = VerifyMessages(w.state.Digest, key, 3, want[1].Chain, messages[2:], sign.ZIP215{})
	if err != nil || !reflect.DeepEqual(got, want[2:]) {
		t.Fatalf("%+v, %v", got, err)
	}
	if got, err := VerifyMessages(w.state.Digest, key, 1, wire.Hash{}, nil, sign.ZIP215{}); err != nil || len(got) != 0 {
		t.Fatalf("%+v, %v", got, err)
	}
}

func TestMessagesAreTakenUpToTheFirstThatIsWrong(t *testing.T) {
	w := newWorld(t, 3)
	const n, at = 8, 5
	for name, c := range map[string]struct {
		f    func(*Mail)
		take int
		err  error
	}{
		"a bad signature":           {func(m *Mail) { m.Messages[at].Sig[7] ^= 1 }, at, ErrSignature},
		"two bad signatures":        {func(m *Mail) { m.Messages[at].Sig[7] ^= 1; m.Messages[at+1].Sig[7] ^= 1 }, at, ErrSignature},
		"another change":            {func(m *Mail) { m.Messages[at].Change = w.change(pay(1, 3, 999)) }, at, ErrSignature},
		"a change left out":         {func(m *Mail) { m.Messages = append(m.Messages[:at], m.Messages[at+1:]...) }, at, ErrSignature},
		"two changes exchanged":     {func(m *Mail) { m.Messages[at], m.Messages[at+1] = m.Messages[at+1], m.Messages[at] }, at, ErrSignature},
		"bytes that are no change":  {func(m *Mail) { m.Messages[at].Change = []byte("x") }, at, nil},
		"another key":               {func(m *Mail) { m.Key = w.ids[2].Public() }, 0, ErrSignature},
		"another chain before":      {func(m *Mail) { m.Before[0] = 1 }, 0, ErrSignature},
		"another number":            {func(m *Mail) { m.First = 2 }, 0, ErrSignature},
		"number 0":                  {func(m *Mail) { m.First = 0 }, 0, nil},
		"a number past integers":    {func(m *Mail) { m.First = wire.IntMax + 1 }, 0, nil},
		"a number at the very last": {func(m *Mail) { m.First = ^uint64(0) }, 0, nil},
	} {
		m := w.mail(1, w.messages(1, n))
		c.f(&m)
		got, err := VerifyMessages(w.state.Digest, m.Key, m.First, m.Before, m.Messages, sign.ZIP215{})
		if len(got) != c.take || err == nil || c.err != nil && !errors.Is(err, c.err) {
			t.Errorf("%s: %d taken, %v", name, len(got), err)
		}
	}
}

func TestASignatureOfAnotherDatabaseDoesNotVerify(t *testing.T) {
	w := newWorld(t, 3)
	digest := w.state.Digest
	digest[0]++
	_, err := VerifyMessages(digest, w.ids[1].Public(), 1, wire.Hash{}, w.messages(1, 1), sign.ZIP215{})
	if !errors.Is(err, ErrSignature) {
		t.Error(err)
	}
}

// One member's forgery costs no other member anything.
func TestMailOfManyIsVerifiedTogetherAndJudgedApart(t *testing.T) {
	w := newWorld(t, 60)
	var mail []Mail
	for n := uint64(1); n <= 60; n++ {
		mail = append(mail, w.mail(n, w.messages(n, int(n)%40)))
	}
	mail[20].Messages[3].Sig[1] ^= 1
	mail[41].Messages = nil
	sizes := &recorder{}
	queues, problems := VerifyMail(w.state.Digest, mail, sizes)
	for i, q := range queues {
		want := len(mail[i].Messages)
		if i == 20 {
			want = 3
		}
		if q.Account != mail[i].Account || len(q.Changes) != want || (problems[i] != nil) != (i == 20) {
			t.Errorf("mail %d: account %d, %d of %d, %v", i, q.Account, len(q.Changes), want, problems[i])
		}
	}
	for i, n := range sizes.sizes {
		if n != verifyBatch && i != len(sizes.sizes)-1 || n > verifyBatch {
			t.Errorf("batches of %v", sizes.sizes)
		}
	}
	if b := w.merge(queues...); b == nil || b.Size == 0 {
		t.Error("nothing was merged")
	}
}

// recorder is the Verifier that notes how many it is asked at once.
type recorder struct{ sizes []int }

func (r *recorder) Verify(items []sign.Item) []bool {
	r.sizes = append(r.sizes, len(items))
	return sign.ZIP215{}.Verify(items)
}
