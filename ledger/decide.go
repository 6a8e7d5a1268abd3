package ledger

import (
	"bytes"

	"weir/ledger/wire"
)

// act is what a change does, its arguments decoded. The zero account and all
// others that it names may or may not exist: judge says so.
type act interface {
	// judge gives the first verdict, from NotPermitted on, that fits the act
	// of an account that is not suspended.
	judge(d *draft, signer *Account) wire.Verdict
	// apply does what judge allowed.
	apply(d *draft, time int64)
	// effect is what the entry says of it.
	effect() []byte
}

// decide gives the verdict on a change as the next entry, in a batch of that
// time, and what it does when it is applied. The error is of reading hashes.
func (d *draft) decide(signer *Account, c *wire.Change, time int64) (act, wire.Verdict, error) {
	if c.Until != 0 && c.Until < time {
		return nil, wire.Expired, nil
	}
	known, err := d.hasSeen(c.Seen)
	if err != nil {
		return nil, 0, err
	}
	if !known {
		return nil, wire.UnknownHistory, nil
	}
	a, v := d.parse(c)
	if v != wire.Applied {
		return nil, v, nil
	}
	if signer.Suspended {
		return nil, wire.Suspended, nil
	}
	if s, ok := a.(*succession); ok {
		if s.root, err = d.tree.root(d.Size); err != nil {
			return nil, 0, err
		}
	}
	if v := a.judge(d, signer); v != wire.Applied {
		return nil, v, nil
	}
	return a, wire.Applied, nil
}

// hasSeen says whether what a signer saw is a prefix of this log. What it saw
// may end in the batch being made: nobody honest has seen that, but where a
// batch begins must not matter.
func (d *draft) hasSeen(seen wire.Seen) (bool, error) {
	if seen.Size == 0 || seen.Size > d.Size {
		return false, nil
	}
	root, err := d.tree.root(seen.Size)
	if err != nil {
		return false, err
	}
	return bytes.Equal(root[:len(seen.Root)], seen.Root[:]), nil
}

// parse decodes a change's arguments.
func (d *draft) parse(c *wire.Change) (act, wire.Verdict) {
	var a act
	var err error
	switch c.Kind() {
	case wire.KindTransfer:
		var t wire.Transfer
		t, err = wire.ParseTransfer(c.Args)
		a = transfer{t.Postings}
	case wire.KindAdmit:
		var args wire.Admit
		args, err = wire.ParseAdmit(c.Args)
		a = d.admission(args)
	case wire.KindLimit:
		var l wire.Limit
		l, err = wire.ParseLimit(c.Args)
		a = limit(l)
	case wire.KindSuspend:
		var s wire.Suspend
		s, err = wire.ParseSuspend(c.Args)
		a = suspension{s.Account, true}
	case wire.KindResume:
		var r wire.Resume
		r, err = wire.ParseResume(c.Args)
		a = suspension{r.Account, false}
	case wire.KindSweep:
		err = wire.ParseSweep(c.Args)
		a = sweep{}
	case wire.KindRename:
		var n wire.Rename
		n, err = wire.ParseRename(c.Args)
		a = naming(n)
	case wire.KindRekey:
		var k wire.Rekey
		k, err = wire.ParseRekey(c.Args)
		a = rekeying(k)
	case wire.KindSucceed:
		var s wire.Succeed
		s, err = wire.ParseSucceed(c.Args)
		a = &succession{Succeed: s}
	default:
		return nil, wire.UnknownKind
	}
	if err != nil {
		return nil, wire.MalformedArguments
	}
	return a, wire.Applied
}

// isLimit says whether a verdict may be another one later in the same batch,
// when somebody has paid.
func isLimit(v wire.Verdict) bool { return v == wire.BelowLowerLimit || v == wire.AboveUpperLimit }
