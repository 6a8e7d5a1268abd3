package manager

import (
	"fmt"

	"weir/keys"
	"weir/ledger"
	"weir/ledger/wire"
)

// keep writes a request down that waits for approval: the first valid one of an
// invitation, so that there are at most as many as invitations.
func (d *Desk) keep(inv Invitation, r wire.JoinRequest) error {
	inv.Request = &Request{Key: r.Key, Seal: r.Seal, Name: r.Name, Came: d.Now().UTC()}
	inv.Problem = ""
	return d.save(inv)
}

// Requests are the invitations by which a request came that waits for approval,
// oldest first.
func (d *Desk) Requests() ([]Invitation, error) {
	all, err := d.Invitations()
	if err != nil {
		return nil, err
	}
	now := d.Now()
	var waiting []Invitation
	for _, i := range all {
		if i.State(now) == InvitationWaiting {
			waiting = append(waiting, i)
		}
	}
	return waiting, nil
}

// request is an invitation whose request waits.
func (d *Desk) request(doing, which string) (Invitation, error) {
	i, err := d.invitation(doing, which)
	if err != nil {
		return i, err
	}
	switch i.State(d.Now()) {
	case InvitationWaiting:
		return i, nil
	case InvitationUsed:
		return i, fmt.Errorf("%s %s: its owner %w", doing, which, ErrUsed)
	case InvitationOpen:
		return i, fmt.Errorf("%s %s: %w: nobody has asked to join by this invitation yet", doing, which, ErrNotFound)
	}
	return i, fmt.Errorf("%s %s: %w: this invitation is %s, and no request waits by it", doing, which, ErrNotFound, i.State(d.Now()))
}

// Approve admits the one whose request waits, under the name that is asked for or
// another.
func (d *Desk) Approve(which, name string) (Invitation, ledger.Account, error) {
	i, err := d.request("approve", which)
	if err != nil {
		return i, ledger.Account{}, err
	}
	r := i.Request
	if name == "" {
		name = r.Name
	}
	a, err := d.accept(i, r.Key, r.Seal, name)
	return i, a, err
}

// accept admits a key by an invitation, which is spent with it. Who joined by
// another way meanwhile keeps the account.
func (d *Desk) accept(i Invitation, key keys.Public, seal keys.SealPublic, name string) (ledger.Account, error) {
	i.Used, i.Problem = key, ""
	if a, ok := d.Store.State().ByKey(key); ok {
		i.Account = a.Number
		return a, d.save(i)
	}
	i.Account = uint64(d.Store.State().Members()) + 1
	return d.Admit(key, seal, name, nil, record(i.key(), i))
}

// Reject ends an invitation whose request waits. The reason is for the manager's
// own list.
func (d *Desk) Reject(which, reason string) (Invitation, error) {
	if err := wire.CheckText("reason", reason, InvitationReasonMax); err != nil {
		return Invitation{}, err
	}
	i, err := d.request("reject", which)
	if err != nil {
		return i, err
	}
	i.Rejected, i.Reason = true, reason
	return i, d.save(i)
}
