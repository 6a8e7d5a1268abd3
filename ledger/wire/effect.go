package wire

import (
	"errors"
	"fmt"

	"weir/keys"
)

// An effect is what an applied change did, as far as later merging needs it,
// so that the state can be rebuilt from the entries alone. A sweep has none.

// TransferEffect: count u8 ‖ (account u64 ‖ amount i64) for each posting.
type TransferEffect struct{ Postings []Posting }

// AdmitEffect: account u64 ‖ publish key (32) ‖ seal key (32) ‖ lower i64 ‖
// upper i64 ‖ name length u8 ‖ name.
type AdmitEffect struct {
	Account uint64 // the new account's number
	Key     keys.Public
	Seal    keys.SealPublic
	Name    string
	Limits  Limits
}

// LimitEffect: account u64 ‖ lower i64 ‖ upper i64.
type LimitEffect struct {
	Account uint64
	Limits  Limits
}

// AccountEffect, of a suspension or its end: account u64.
type AccountEffect struct{ Account uint64 }

// Encode gives the effect's bytes. Like the other effects it is made from
// arguments that were read, which keeps it within limits; Entry.Encode
// checks.
func (e TransferEffect) Encode() []byte {
	b := make([]byte, 0, 1+16*len(e.Postings))
	b = append(b, byte(len(e.Postings)))
	for _, p := range e.Postings {
		b = appendU64(b, p.Account)
		b = appendI64(b, p.Amount)
	}
	return b
}

// Encode gives the effect's bytes.
func (e AdmitEffect) Encode() []byte {
	b := make([]byte, 0, 8+32+32+8+8+1+len(e.Name))
	b = appendU64(b, e.Account)
	b = append(b, e.Key[:]...)
	b = append(b, e.Seal[:]...)
	b = e.Limits.append(b)
	b = append(b, byte(len(e.Name)))
	return append(b, e.Name...)
}

// Encode gives the effect's bytes.
func (e LimitEffect) Encode() []byte { return e.Limits.append(appendU64(nil, e.Account)) }

// Encode gives the effect's bytes.
func (e AccountEffect) Encode() []byte { return appendU64(nil, e.Account) }

func (l Limits) append(b []byte) []byte { return appendI64(appendI64(b, l.Lower), l.Upper) }

func (c *cursor) limits() Limits { return Limits{Lower: c.i64(), Upper: c.i64()} }

// ParseTransferEffect reads the effect of a transfer.
func ParseTransferEffect(b []byte) (TransferEffect, error) {
	var e TransferEffect
	c := cursor{b: b}
	count := c.u8()
	if c.err == nil && (count < PostingsMin || count > PostingsMax) {
		c.fail("%d postings where %d to %d are allowed", count, PostingsMin, PostingsMax)
	}
	if c.err == nil {
		e.Postings = make([]Posting, count)
	}
	for i := range e.Postings {
		e.Postings[i] = Posting{Account: c.u64(), Amount: c.i64()}
	}
	if err := c.end(); err != nil {
		return TransferEffect{}, fmt.Errorf("read the effect of a transfer: %w", err)
	}
	return e, nil
}

// ParseAdmitEffect reads the effect of an admission.
func ParseAdmitEffect(b []byte) (AdmitEffect, error) {
	e, err := parseAdmitEffect(b)
	if err != nil {
		return AdmitEffect{}, fmt.Errorf("read the effect of an admission: %w", err)
	}
	return e, nil
}

func parseAdmitEffect(b []byte) (AdmitEffect, error) {
	var e AdmitEffect
	c := cursor{b: b}
	e.Account = c.u64()
	c.fixed(e.Key[:])
	c.fixed(e.Seal[:])
	e.Limits = c.limits()
	e.Name = string(c.take(c.u8()))
	if err := c.end(); err != nil {
		return e, err
	}
	if e.Account == 0 {
		return e, errors.New("account 0 is the manager")
	}
	return e, Admit{Key: e.Key, Seal: e.Seal, Name: e.Name}.check()
}

// ParseLimitEffect reads the effect of a change of limits.
func ParseLimitEffect(b []byte) (LimitEffect, error) {
	c := cursor{b: b}
	e := LimitEffect{Account: c.u64(), Limits: c.limits()}
	if err := c.end(); err != nil {
		return LimitEffect{}, fmt.Errorf("read the effect of a change of limits: %w", err)
	}
	return e, nil
}

// ParseAccountEffect reads the effect of a suspension or its end.
func ParseAccountEffect(b []byte) (AccountEffect, error) {
	c := cursor{b: b}
	e := AccountEffect{Account: c.u64()}
	if err := c.end(); err != nil {
		return AccountEffect{}, fmt.Errorf("read the effect of a suspension: %w", err)
	}
	return e, nil
}

// checkEffect says whether b is an effect of an applied change of kind k.
func checkEffect(k Kind, b []byte) (err error) {
	switch k {
	case KindTransfer:
		_, err = ParseTransferEffect(b)
	case KindAdmit:
		_, err = ParseAdmitEffect(b)
	case KindLimit:
		_, err = ParseLimitEffect(b)
	case KindSuspend, KindResume:
		_, err = ParseAccountEffect(b)
	case KindRename:
		_, err = ParseRenameEffect(b)
	case KindRekey:
		_, err = ParseRekeyEffect(b)
	case KindSucceed:
		_, err = ParseSucceedEffect(b)
	default:
		if len(b) != 0 {
			err = fmt.Errorf("%v has no effect", k)
		}
	}
	return err
}
