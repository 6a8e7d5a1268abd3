package wire

import "fmt"

// Posting moves Amount minor units into an account, out of it when negative.
type Posting struct {
	Account uint64
	Amount  int64
}

// Transfer is the arguments of a transfer:
//
//	d 1:m <memo>  absent when empty
//	  1:p l li<account>ei<amount>ee ... e   2 to 64 postings
//	e
//
// That the postings sum to zero, name no account twice and have no amount of
// zero is for package ledger to decide.
type Transfer struct {
	Postings []Posting
	Memo     string
}

// Args encodes the arguments.
func (t Transfer) Args() ([]byte, error) {
	if err := t.check(); err != nil {
		return nil, fmt.Errorf("write a transfer: %w", err)
	}
	return t.bytes(), nil
}

// ParseTransfer reads the arguments of a transfer.
func ParseTransfer(args []byte) (Transfer, error) {
	var t Transfer
	r := readArguments(args)
	r.open('d')
	if r.optional("m") {
		t.Memo = string(r.bytes(1, MemoBytesMax))
	}
	r.key("p")
	r.open('l')
	for r.more() {
		if len(t.Postings) == PostingsMax {
			r.fail("more than %d postings", PostingsMax)
			break
		}
		var p Posting
		r.open('l')
		p.Account = uint64(r.int(0, IntMax))
		p.Amount = r.int(-IntMax, IntMax)
		r.close()
		t.Postings = append(t.Postings, p)
	}
	r.close()
	r.close()
	if err := finish(&r, args, t); err != nil {
		return Transfer{}, fmt.Errorf("read a transfer: %w", err)
	}
	return t, nil
}

func (t Transfer) bytes() []byte {
	w := writer{make([]byte, 0, 32+40*len(t.Postings)+len(t.Memo))}
	w.dict()
	if t.Memo != "" {
		w.keyText("m", t.Memo)
	}
	w.text("p")
	w.list()
	for _, p := range t.Postings {
		w.list()
		w.int(int64(p.Account))
		w.int(p.Amount)
		w.end()
	}
	w.end()
	w.end()
	return w.b
}

func (t Transfer) check() error {
	if len(t.Postings) < PostingsMin || len(t.Postings) > PostingsMax {
		return fmt.Errorf("%d postings where %d to %d are allowed", len(t.Postings), PostingsMin, PostingsMax)
	}
	for _, p := range t.Postings {
		if err := checkInt("account", p.Account); err != nil {
			return err
		}
		if p.Amount > IntMax || p.Amount < -IntMax {
			return fmt.Errorf("the amount %d is 2^53 or more", p.Amount)
		}
	}
	return CheckText("memo", t.Memo, MemoBytesMax)
}
