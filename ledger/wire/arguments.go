package wire

import (
	"bytes"
	"fmt"
)

// The arguments of a change are a dict of its kind's own keys, canonical and
// at most ArgsBytesMax. Those of the manager's smaller acts are here.

// arguments is what finish needs of a kind's arguments.
type arguments interface {
	bytes() []byte
	check() error
}

// readArguments begins the reading of arguments, which lie in a change.
func readArguments(args []byte) reader {
	r := reader{b: args, depth: 1}
	if len(args) > ArgsBytesMax {
		r.fail("%d bytes where %d are allowed", len(args), ArgsBytesMax)
	}
	return r
}

// finish ends it: nothing follows, the values are allowed, and they encode to
// the same bytes.
func finish(r *reader, args []byte, a arguments) error {
	if err := r.end(); err != nil {
		return err
	}
	if err := a.check(); err != nil {
		return err
	}
	if !bytes.Equal(a.bytes(), args) {
		return errNotCanonical
	}
	return nil
}

// Limit is the arguments of a change of limits:
//
//	d 1:a i<account>e 1:l i<lower>e 1:u i<upper>e e
type Limit struct {
	Account uint64
	Limits  Limits
}

// Suspend is the arguments of a suspension:
//
//	d 1:a i<account>e 1:r <reason>  absent when empty
//	e
type Suspend struct {
	Account uint64
	Reason  string
}

// Resume is the arguments that end a suspension, in the form of Suspend.
type Resume struct {
	Account uint64
	Reason  string
}

// Args encodes the arguments.
func (l Limit) Args() ([]byte, error) {
	if err := l.check(); err != nil {
		return nil, fmt.Errorf("write a change of limits: %w", err)
	}
	return l.bytes(), nil
}

// ParseLimit reads the arguments of a change of limits.
func ParseLimit(args []byte) (Limit, error) {
	var l Limit
	r := readArguments(args)
	r.open('d')
	r.key("a")
	l.Account = uint64(r.int(0, IntMax))
	r.key("l")
	l.Limits.Lower = r.int(-IntMax, IntMax)
	r.key("u")
	l.Limits.Upper = r.int(-IntMax, IntMax)
	r.close()
	if err := finish(&r, args, l); err != nil {
		return Limit{}, fmt.Errorf("read a change of limits: %w", err)
	}
	return l, nil
}

func (l Limit) bytes() []byte {
	var w writer
	w.dict()
	w.keyInt("a", int64(l.Account))
	w.keyInt("l", l.Limits.Lower)
	w.keyInt("u", l.Limits.Upper)
	w.end()
	return w.b
}

func (l Limit) check() error {
	if err := checkInt("account", l.Account); err != nil {
		return err
	}
	return l.Limits.check()
}

// Args encodes the arguments.
func (s Suspend) Args() ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("write a suspension: %w", err)
	}
	return s.bytes(), nil
}

// ParseSuspend reads the arguments of a suspension.
func ParseSuspend(args []byte) (Suspend, error) {
	s, err := parseSuspend(args)
	if err != nil {
		return Suspend{}, fmt.Errorf("read a suspension: %w", err)
	}
	return s, nil
}

func parseSuspend(args []byte) (Suspend, error) {
	var s Suspend
	r := readArguments(args)
	r.open('d')
	r.key("a")
	s.Account = uint64(r.int(0, IntMax))
	if r.optional("r") {
		s.Reason = string(r.bytes(1, ReasonBytesMax))
	}
	r.close()
	return s, finish(&r, args, s)
}

func (s Suspend) bytes() []byte {
	var w writer
	w.dict()
	w.keyInt("a", int64(s.Account))
	if s.Reason != "" {
		w.keyText("r", s.Reason)
	}
	w.end()
	return w.b
}

func (s Suspend) check() error {
	if err := checkInt("account", s.Account); err != nil {
		return err
	}
	return CheckText("reason", s.Reason, ReasonBytesMax)
}

// Args encodes the arguments.
func (s Resume) Args() ([]byte, error) {
	if err := Suspend(s).check(); err != nil {
		return nil, fmt.Errorf("write the end of a suspension: %w", err)
	}
	return Suspend(s).bytes(), nil
}

// ParseResume reads the arguments that end a suspension.
func ParseResume(args []byte) (Resume, error) {
	s, err := parseSuspend(args)
	if err != nil {
		return Resume{}, fmt.Errorf("read the end of a suspension: %w", err)
	}
	return Resume(s), nil
}

// SweepArgs is the arguments of a sweep, an empty dict.
func SweepArgs() []byte { return []byte("de") }

// ParseSweep says whether args are those of a sweep.
func ParseSweep(args []byte) error {
	r := readArguments(args)
	r.open('d')
	r.close()
	if err := r.end(); err != nil {
		return fmt.Errorf("read a sweep: %w", err)
	}
	return nil
}
