package wire

import (
	"fmt"

	"weir/keys"
)

// Limits are the lowest and the highest balance an account may have, in minor
// units.
type Limits struct{ Lower, Upper int64 }

// check is of the integers only; whether the limits make sense is for package
// ledger to decide.
func (l Limits) check() error {
	for _, n := range []int64{l.Lower, l.Upper} {
		if n > IntMax || n < -IntMax {
			return fmt.Errorf("the limit %d is 2^53 or more", n)
		}
	}
	return nil
}

// Admit is the arguments of an admission:
//
//	d 1:k 32:<publish key>
//	  1:l i<lower>e           both limits or neither
//	  1:n <name>
//	  1:s 32:<seal key>
//	  1:u i<upper>e
//	e
type Admit struct {
	Key    keys.Public
	Seal   keys.SealPublic
	Name   string  // see CheckMemberName
	Limits *Limits // nil: the charter's
}

// Args encodes the arguments.
func (a Admit) Args() ([]byte, error) {
	if err := a.check(); err != nil {
		return nil, fmt.Errorf("write an admission: %w", err)
	}
	return a.bytes(), nil
}

// ParseAdmit reads the arguments of an admission.
func ParseAdmit(args []byte) (Admit, error) {
	var a Admit
	r := readArguments(args)
	r.open('d')
	r.key("k")
	r.fixed(a.Key[:])
	if r.optional("l") {
		a.Limits = &Limits{Lower: r.int(-IntMax, IntMax)}
	}
	r.key("n")
	a.Name = string(r.bytes(1, MemberNameBytesMax))
	r.key("s")
	r.fixed(a.Seal[:])
	if a.Limits != nil {
		r.key("u")
		a.Limits.Upper = r.int(-IntMax, IntMax)
	}
	r.close()
	if err := finish(&r, args, a); err != nil {
		return Admit{}, fmt.Errorf("read an admission: %w", err)
	}
	return a, nil
}

func (a Admit) bytes() []byte {
	w := writer{make([]byte, 0, 192)}
	w.dict()
	w.keyBytes("k", a.Key[:])
	if a.Limits != nil {
		w.keyInt("l", a.Limits.Lower)
	}
	w.keyText("n", a.Name)
	w.keyBytes("s", a.Seal[:])
	if a.Limits != nil {
		w.keyInt("u", a.Limits.Upper)
	}
	w.end()
	return w.b
}

func (a Admit) check() error {
	if err := checkKey("publish", a.Key); err != nil {
		return err
	}
	if err := checkSeal(a.Seal); err != nil {
		return err
	}
	if a.Limits != nil {
		if err := a.Limits.check(); err != nil {
			return err
		}
	}
	return CheckMemberName(a.Name)
}
