package wire

import (
	"errors"
	"fmt"
)

// Rename is the arguments of a member's new name:
//
//	d 1:a i<account>e 1:n <name> e
type Rename struct {
	Account uint64
	Name    string // see CheckMemberName
}

// RenameEffect: account u64 ‖ name length u8 ‖ name.
type RenameEffect Rename

// Args encodes the arguments.
func (n Rename) Args() ([]byte, error) {
	if err := n.check(); err != nil {
		return nil, fmt.Errorf("write a new name: %w", err)
	}
	return n.bytes(), nil
}

// ParseRename reads the arguments of a new name.
func ParseRename(args []byte) (Rename, error) {
	var n Rename
	r := readArguments(args)
	r.open('d')
	r.key("a")
	n.Account = uint64(r.int(0, IntMax))
	r.key("n")
	n.Name = string(r.bytes(1, MemberNameBytesMax))
	r.close()
	if err := finish(&r, args, n); err != nil {
		return Rename{}, fmt.Errorf("read a new name: %w", err)
	}
	return n, nil
}

func (n Rename) bytes() []byte {
	var w writer
	w.dict()
	w.keyInt("a", int64(n.Account))
	w.keyText("n", n.Name)
	w.end()
	return w.b
}

func (n Rename) check() error {
	if err := checkInt("account", n.Account); err != nil {
		return err
	}
	return CheckMemberName(n.Name)
}

// Encode gives the effect's bytes.
func (e RenameEffect) Encode() []byte {
	b := appendU64(nil, e.Account)
	b = append(b, byte(len(e.Name)))
	return append(b, e.Name...)
}

// ParseRenameEffect reads the effect of a new name.
func ParseRenameEffect(b []byte) (RenameEffect, error) {
	var e RenameEffect
	c := cursor{b: b}
	e.Account = c.u64()
	e.Name = string(c.take(c.u8()))
	err := c.end()
	if err == nil && e.Account == 0 {
		err = errors.New("account 0 is the manager")
	}
	if err == nil {
		err = Rename(e).check()
	}
	if err != nil {
		return RenameEffect{}, fmt.Errorf("read the effect of a new name: %w", err)
	}
	return e, nil
}
