package wire

import (
	"errors"
	"fmt"

	"weir/keys"
)

// Rekey is the arguments of an account's new keys:
//
//	d 1:a i<account>e
//	  1:k 32:<publish key>
//	  1:s 32:<seal key>
//	e
type Rekey struct {
	Account uint64
	Key     keys.Public
	Seal    keys.SealPublic
}

// RekeyEffect: account u64 ‖ publish key (32) ‖ seal key (32).
type RekeyEffect Rekey

// Args encodes the arguments.
func (k Rekey) Args() ([]byte, error) {
	if err := k.check(); err != nil {
		return nil, fmt.Errorf("write a new key: %w", err)
	}
	return k.bytes(), nil
}

// ParseRekey reads the arguments of an account's new keys.
func ParseRekey(args []byte) (Rekey, error) {
	var k Rekey
	r := readArguments(args)
	r.open('d')
	r.key("a")
	k.Account = uint64(r.int(0, IntMax))
	r.key("k")
	r.fixed(k.Key[:])
	r.key("s")
	r.fixed(k.Seal[:])
	r.close()
	if err := finish(&r, args, k); err != nil {
		return Rekey{}, fmt.Errorf("read a new key: %w", err)
	}
	return k, nil
}

func (k Rekey) bytes() []byte {
	var w writer
	w.dict()
	w.keyInt("a", int64(k.Account))
	w.keyBytes("k", k.Key[:])
	w.keyBytes("s", k.Seal[:])
	w.end()
	return w.b
}

func (k Rekey) check() error {
	if err := checkInt("account", k.Account); err != nil {
		return err
	}
	if err := checkKey("publish", k.Key); err != nil {
		return err
	}
	return checkSeal(k.Seal)
}

// Encode gives the effect's bytes.
func (e RekeyEffect) Encode() []byte {
	b := append(appendU64(nil, e.Account), e.Key[:]...)
	return append(b, e.Seal[:]...)
}

// ParseRekeyEffect reads the effect of an account's new keys.
func ParseRekeyEffect(b []byte) (RekeyEffect, error) {
	var e RekeyEffect
	c := cursor{b: b}
	e.Account = c.u64()
	c.fixed(e.Key[:])
	c.fixed(e.Seal[:])
	err := c.end()
	if err == nil && e.Account == 0 {
		err = errors.New("account 0 is the manager")
	}
	if err == nil {
		err = Rekey(e).check()
	}
	if err != nil {
		return RekeyEffect{}, fmt.Errorf("read the effect of a new key: %w", err)
	}
	return e, nil
}
