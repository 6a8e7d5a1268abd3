package manager

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"weir/keys"
)

// numberDigitsMax is how many digits can be an invitation's number; as many and
// more are also the beginning of an id.
const numberDigitsMax = 6

// idDigitsMin is how much of an id names an invitation: less is a number or a slip.
const idDigitsMin = 4

// named are the invitations that somebody may mean by a text: a number of the
// list, the beginning of an id, the name for whom one is or, of those that wait
// for approval, the name that is asked for. What is over is left out where
// something that is not has the same name.
func named(all []Invitation, which string, now time.Time) []Invitation {
	var hits, live []Invitation
	n, err := strconv.ParseUint(which, 10, 64)
	numbered := err == nil && len(which) <= numberDigitsMax
	for _, i := range all {
		state := i.State(now)
		byName := i.For != "" && strings.EqualFold(i.For, which) || state == InvitationWaiting && strings.EqualFold(i.Request.Name, which)
		switch {
		case numbered && i.Number == n, len(which) >= idDigitsMin && strings.HasPrefix(i.ID(), strings.ToLower(which)):
			live, hits = append(live, i), append(hits, i)
		case byName:
			hits = append(hits, i)
			if state == InvitationOpen || state == InvitationWaiting {
				live = append(live, i)
			}
		}
	}
	if len(live) > 0 {
		return live
	}
	return hits
}

// invitation is the one that somebody means.
func (d *Desk) invitation(doing, which string) (Invitation, error) {
	all, err := d.Invitations()
	if err != nil {
		return Invitation{}, err
	}
	now := d.Now()
	var hits []Invitation
	if which != "" {
		hits = named(all, which, now)
	}
	switch {
	case len(hits) == 0:
		return Invitation{}, fmt.Errorf("%s %q: %w; see weir manager invitations, or weir manager requests for those who wait. One is named by its number, by the first %d digits of its id or more, or by the name it is for", doing, which, ErrNotFound, idDigitsMin)
	case len(hits) > 1:
		var which1 []string
		for _, i := range hits[:min(len(hits), 5)] {
			which1 = append(which1, fmt.Sprintf("number %d, id %s, %s", i.Number, i.ID()[:8], i.State(now)))
		}
		return Invitation{}, fmt.Errorf("%s %q: %w: %d invitations can be meant by it (%s). Say more digits of its id, or another number. Nothing was done",
			doing, which, ErrNotFound, len(hits), strings.Join(which1, "; "))
	}
	return hits[0], nil
}

// Revoke closes an invitation that nobody has joined by: see named for how it is
// said. A request that waits by it is over too.
func (d *Desk) Revoke(which string) (Invitation, error) {
	i, err := d.invitation("revoke", which)
	if err != nil {
		return i, err
	}
	if i.Used != (keys.Public{}) {
		who := i.Used.Short()
		if a, ok := d.Store.State().ByKey(i.Used); ok {
			who = fmt.Sprintf("%d %s", a.Number, a.Name)
		}
		return i, fmt.Errorf("revoke %s: %s %w; suspend that member instead", which, who, ErrUsed)
	}
	i.Revoked = true
	return i, d.save(i)
}

// RevokeOpen closes every open invitation, or, when ids are given, those of them
// that are; a request that waits for approval stays. All are closed or none.
func (d *Desk) RevokeOpen(ids ...string) ([]Invitation, error) {
	all, err := d.Invitations()
	if err != nil {
		return nil, err
	}
	only := map[string]bool{}
	for _, id := range ids {
		only[id] = true
	}
	now := d.Now()
	var closed []Invitation
	for _, i := range all {
		if i.Open(now) && (len(ids) == 0 || only[i.ID()]) {
			i.Revoked = true
			closed = append(closed, i)
		}
	}
	return closed, d.save(closed...)
}
