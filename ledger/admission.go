package ledger

import (
	"weir/keys"
	"weir/ledger/wire"
)

// The acts of account 0. A member that tries one is not permitted to.

// admission makes an account: the next number.
type admission struct {
	number uint64
	key    keys.Public
	seal   keys.SealPublic
	name   string
	limits wire.Limits
}

// admission completes the arguments with the next number and the charter's
// limits.
func (d *draft) admission(a wire.Admit) admission {
	limits := wire.Limits{Lower: d.base.Charter.Lower, Upper: d.base.Charter.Upper}
	if a.Limits != nil {
		limits = *a.Limits
	}
	return admission{d.count, a.Key, a.Seal, a.Name, limits}
}

func (a admission) judge(d *draft, signer *Account) wire.Verdict {
	switch {
	case signer.Number != managerAccount:
		return wire.NotPermitted
	case d.keyUsed(a.key):
		return wire.KeyInUse
	}
	if _, used := d.named(a.name); used {
		return wire.NameInUse
	}
	return judgeLimits(a.limits)
}

func (a admission) apply(d *draft, time int64) {
	d.admit(Account{
		Number:   a.number,
		Key:      a.key,
		Seal:     a.seal,
		Name:     a.name,
		Limits:   a.limits,
		Admitted: time,
	})
}

func (a admission) effect() []byte {
	return wire.AdmitEffect{
		Account: a.number,
		Key:     a.key,
		Seal:    a.seal,
		Name:    a.name,
		Limits:  a.limits,
	}.Encode()
}

// limit sets an account's limits. Its balance need not be within them.
type limit wire.Limit

func (l limit) judge(d *draft, signer *Account) wire.Verdict {
	switch {
	case signer.Number != managerAccount:
		return wire.NotPermitted
	case d.member(l.Account) == nil:
		return wire.UnknownAccount
	}
	return judgeLimits(l.Limits)
}

func (l limit) apply(d *draft, _ int64) { d.touch(l.Account).Limits = l.Limits }

func (l limit) effect() []byte {
	return wire.LimitEffect{Account: l.Account, Limits: l.Limits}.Encode()
}

func judgeLimits(l wire.Limits) wire.Verdict {
	if l.Lower > 0 || l.Upper < 0 || l.Lower < -wire.IntMax || l.Upper > wire.IntMax {
		return wire.InvalidLimits
	}
	return wire.Applied
}

// suspension makes an account read-only, or ends that.
type suspension struct {
	account   uint64
	suspended bool
}

func (s suspension) judge(d *draft, signer *Account) wire.Verdict {
	switch {
	case signer.Number != managerAccount:
		return wire.NotPermitted
	case d.member(s.account) == nil:
		return wire.UnknownAccount
	}
	return wire.Applied
}

func (s suspension) apply(d *draft, _ int64) { d.touch(s.account).Suspended = s.suspended }

func (s suspension) effect() []byte { return wire.AccountEffect{Account: s.account}.Encode() }

// naming gives an account another name. Its own of before is not another's.
type naming wire.Rename

func (n naming) judge(d *draft, signer *Account) wire.Verdict {
	switch {
	case signer.Number != managerAccount:
		return wire.NotPermitted
	case d.member(n.Account) == nil:
		return wire.UnknownAccount
	}
	if other, used := d.named(n.Name); used && other != n.Account {
		return wire.NameInUse
	}
	return wire.Applied
}

func (n naming) apply(d *draft, _ int64) {
	d.touch(n.Account).rename(n.Name)
	d.byName[foldName(n.Name)] = n.Account
}

func (n naming) effect() []byte { return wire.RenameEffect(n).Encode() }

// rekeying gives an account other keys.
type rekeying wire.Rekey

func (k rekeying) judge(d *draft, signer *Account) wire.Verdict {
	switch {
	case signer.Number != managerAccount:
		return wire.NotPermitted
	case d.member(k.Account) == nil:
		return wire.UnknownAccount
	case d.keyUsed(k.Key):
		return wire.KeyInUse
	}
	return wire.Applied
}

func (k rekeying) apply(d *draft, _ int64) {
	d.touch(k.Account).rekey(k.Key, k.Seal)
	d.byKey[k.Key] = k.Account
}

func (k rekeying) effect() []byte { return wire.RekeyEffect(k).Encode() }

// sweep begins a volume. That its frame does is draft.append's affair.
type sweep struct{}

func (sweep) judge(d *draft, signer *Account) wire.Verdict {
	if signer.Number != managerAccount || !d.sweepDue() {
		return wire.NotPermitted
	}
	return wire.Applied
}

func (sweep) apply(*draft, int64) {}
func (sweep) effect() []byte      { return nil }
