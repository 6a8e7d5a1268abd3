package manager

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"weir/keys"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// Invitation is an invitation of this manager. It is kept for good: the list of
// them says who came by which.
type Invitation struct {
	Number  uint64      `json:"number,omitempty"` // 1, 2, 3 … as they were made
	Secret  [16]byte    `json:"secret"`
	For     string      `json:"for,omitempty"` // for whom it is; nobody but the manager sees it
	Made    time.Time   `json:"made"`
	Expires time.Time   `json:"expires"`
	Used    keys.Public `json:"used"` // zero: nobody became a member by it
	Account uint64      `json:"account,omitempty"`
	Revoked bool        `json:"revoked,omitempty"`
	// Request is what came by it where the charter wants an approval; nil: nothing yet.
	Request  *Request `json:"request,omitempty"`
	Rejected bool     `json:"rejected,omitempty"`
	Reason   string   `json:"reason,omitempty"` // of a rejection
	// Problem says why a request that came by it was not admitted.
	Problem string `json:"problem,omitempty"`
}

// Request is a request to join that was opened and verified, and waits for the
// manager's approval.
type Request struct {
	Key  keys.Public     `json:"key"`
	Seal keys.SealPublic `json:"seal"`
	Name string          `json:"name"`
	Came time.Time       `json:"came"`
}

// InvitationState is where an invitation stands.
type InvitationState string

const (
	InvitationOpen     InvitationState = "open"
	InvitationWaiting  InvitationState = "waiting" // a request came by it and waits for approval
	InvitationUsed     InvitationState = "used"
	InvitationExpired  InvitationState = "expired"
	InvitationRevoked  InvitationState = "revoked"
	InvitationRejected InvitationState = "rejected"
)

// Limits of invitations.
const (
	InvitationsMax      = 1000                // made at once
	InvitationForMax    = 64                  // bytes of the note for whom one is
	InvitationReasonMax = wire.ReasonBytesMax // of a rejection
)

func (i Invitation) key() string { return fmt.Sprintf("%s%x", keyInvitation, i.Secret[:]) }

// ID is the name of an invitation for lists and revoke, in hex: a hash of its
// secret.
func (i Invitation) ID() string {
	h := wire.ChainNext(wire.Hash{}, i.Secret[:])
	return fmt.Sprintf("%x", h[:])
}

// State is where the invitation stands at a time. A request that waits for
// approval outlives the end of the invitation that it came by.
func (i Invitation) State(now time.Time) InvitationState {
	switch {
	case i.Used != (keys.Public{}):
		return InvitationUsed
	case i.Rejected:
		return InvitationRejected
	case i.Revoked:
		return InvitationRevoked
	case i.Request != nil:
		return InvitationWaiting
	case !now.Before(i.Expires):
		return InvitationExpired
	}
	return InvitationOpen
}

// Open says whether a request by it would be taken at a time.
func (i Invitation) Open(now time.Time) bool { return i.State(now) == InvitationOpen }

// Invite makes an invitation that is good for a lifetime.
func (d *Desk) Invite(lifetime time.Duration) (Invitation, error) {
	all, err := d.InviteAll(lifetime, []string{""})
	if err != nil {
		return Invitation{}, err
	}
	return all[0], nil
}

// InviteAll makes as many invitations as there are notes for whom they are, all
// of them or none. A note may be empty.
func (d *Desk) InviteAll(lifetime time.Duration, notes []string) ([]Invitation, error) {
	if len(notes) == 0 || len(notes) > InvitationsMax {
		return nil, fmt.Errorf("invite: %d invitations at once, where 1 to %d are possible", len(notes), InvitationsMax)
	}
	for _, note := range notes {
		if err := CheckFor(note); err != nil {
			return nil, fmt.Errorf("invite: %w", err)
		}
	}
	if err := d.may(); err != nil {
		return nil, err
	}
	before, err := d.Invitations()
	if err != nil {
		return nil, err
	}
	next := uint64(1)
	if len(before) > 0 {
		next = before[len(before)-1].Number + 1
	}
	now := d.Now().UTC().Truncate(time.Second)
	var made []Invitation
	var records []store.KV
	for n, note := range notes {
		i := Invitation{Number: next + uint64(n), For: note, Made: now, Expires: now.Add(lifetime)}
		if _, err := io.ReadFull(d.Random, i.Secret[:]); err != nil {
			return nil, fmt.Errorf("invite: %w", err)
		}
		made, records = append(made, i), append(records, record(i.key(), i))
	}
	if err := d.Store.Commit(nil, records...); err != nil {
		return nil, fmt.Errorf("invite: %w", err)
	}
	return made, nil
}

// CheckFor says what is wrong with a note for whom an invitation is.
func CheckFor(note string) error {
	if note == "" {
		return nil
	}
	if len(note) > InvitationForMax {
		return fmt.Errorf("the name %.20q… has %d bytes where %d are allowed", note, len(note), InvitationForMax)
	}
	return wire.CheckName(note)
}

// Invitations is every invitation ever made, oldest first.
func (d *Desk) Invitations() ([]Invitation, error) {
	all, err := readRecords[Invitation](d.Store, keyInvitation)
	if err != nil {
		return nil, fmt.Errorf("list invitations: %w", err)
	}
	slices.SortFunc(all, func(a, b Invitation) int {
		switch {
		case a.Number < b.Number:
			return -1
		case a.Number > b.Number:
			return 1
		}
		// Only those that an earlier weir made have one number, none.
		if c := a.Made.Compare(b.Made); c != 0 {
			return c
		}
		return slices.Compare(a.Secret[:], b.Secret[:])
	})
	for i := range all {
		all[i].Number = max(all[i].Number, uint64(i)+1)
	}
	return all, nil
}

// save writes what has become of invitations, all of it or nothing.
func (d *Desk) save(changed ...Invitation) error {
	if len(changed) == 0 {
		return nil
	}
	var records []store.KV
	for _, i := range changed {
		records = append(records, record(i.key(), i))
	}
	return d.Store.Commit(nil, records...)
}

// ErrUsed: an invitation that made somebody a member cannot be closed.
var ErrUsed = errors.New("has already joined by it")
