package manager

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"testing"
	"time"

	"weir/internal/lookup"
	"weir/keys"
	"weir/ledger/wire"
)

func person(n byte) *keys.Identity {
	return keys.Derive(keys.Seed(bytes.Repeat([]byte{n}, keys.SeedBytes)))
}

// asks has somebody's request come by an invitation in a cycle, as far as it is
// looked for.
func (p *publisher) asks(t *testing.T, i Invitation, who *keys.Identity, name string) Report {
	t.Helper()
	var q questions
	c := &cycle{}
	p.pollInvitations(c, &q)
	st := p.Store.State()
	private := wire.InviteKey(i.Secret, st.Digest)
	invite := keys.Public(private.Public().(ed25519.PublicKey))
	value := must[[]byte](t)(wire.SealJoinRequest(wire.NewJoinRequest(who, name, st.Digest, invite), st.Charter.Seal, [32]byte{name[0]}))
	it := must[lookup.Item](t)(lookup.Sign(private, st.ID.Salt(), 1, value))
	for n, k := range q.keys {
		if k.Key == invite {
			q.hears[n](lookup.Polled{Item: &it})
		}
	}
	p.admitJoiners(c)
	if c.report.Problem != "" {
		t.Fatal(c.report.Problem)
	}
	return c.report
}

func TestWhoHasAnInvitationIsAdmittedAtOnceWithoutAJoinPolicy(t *testing.T) {
	p := newPublisher(t)
	i := must[Invitation](t)(p.Invite(time.Hour))
	if r := p.asks(t, i, person(20), "Ana"); r.Admitted != 1 || r.Requested != 0 {
		t.Fatalf("%+v", r)
	}
	if all := must[[]Invitation](t)(p.Invitations()); all[0].State(p.clock.Now()) != InvitationUsed || all[0].Account != 1 {
		t.Fatalf("%+v", all)
	}
}

func TestARequestWaitsForApprovalAndOutlivesItsInvitation(t *testing.T) {
	p := newPublisherOf(t, wire.Charter{Approval: true})
	made := must[[]Invitation](t)(p.InviteAll(time.Hour, []string{"Ana Petrova", "Ben", ""}))
	if r := p.asks(t, made[0], person(20), "ana"); r.Admitted != 0 || r.Requested != 1 {
		t.Fatalf("%+v", r)
	}
	if r := p.asks(t, made[0], person(21), "eve"); r.Requested != 0 {
		t.Fatalf("a second request by one invitation: %+v", r)
	}
	if r := p.asks(t, made[1], person(22), "ben"); r.Requested != 1 {
		t.Fatalf("%+v", r)
	}
	if p.Store.State().Members() != 0 {
		t.Fatal("somebody was admitted")
	}
	p.clock.Time = p.clock.Add(30 * 24 * time.Hour)
	p.wall0, p.mono0 = p.clock.Now(), p.clock.Mono()
	again := Desk{Store: p.Store, Identity: p.Identity, Random: p.Random, Now: p.clock.Now} // as after a restart
	waiting := must[[]Invitation](t)(again.Requests())
	if len(waiting) != 2 || waiting[0].Request.Name != "ana" || waiting[0].Request.Key != person(20).Public() || waiting[1].For != "Ben" {
		t.Fatalf("%+v", waiting)
	}
	if len(p.invites) == 0 {
		t.Fatal("this test polls nothing")
	}
	var q questions
	if p.pollInvitations(&cycle{}, &q); len(q.keys) != 0 {
		t.Fatalf("%d keys are polled for invitations that wait or have expired", len(q.keys))
	}
	if _, _, err := again.Approve("3", ""); !errors.Is(err, ErrNotFound) {
		t.Fatalf("approved what nobody asked for: %v", err)
	}
	i, a, err := again.Approve("ana petrova", "Ana")
	if err != nil || a.Name != "Ana" || a.Key != person(20).Public() || i.Number != 1 {
		t.Fatalf("%+v %+v %v", i, a, err)
	}
	if _, _, err := again.Approve("1", ""); !errors.Is(err, ErrUsed) {
		t.Fatalf("approved twice: %v", err)
	}
	if _, err := again.Reject("ben", "not\none of us"); err == nil {
		t.Fatal("a reason with a line break is taken")
	}
	if i, err := again.Reject("ben", "not one of us"); err != nil || i.State(p.clock.Now()) != InvitationRejected {
		t.Fatalf("%+v %v", i, err)
	}
	if _, _, err := again.Approve("ben", ""); !errors.Is(err, ErrNotFound) {
		t.Fatalf("approved who was rejected: %v", err)
	}
	all := must[[]Invitation](t)(again.Invitations())
	if all[0].State(p.clock.Now()) != InvitationUsed || all[0].Account != 1 || all[1].Reason != "not one of us" || all[2].State(p.clock.Now()) != InvitationExpired {
		t.Fatalf("%+v", all)
	}
	if r := p.asks(t, made[1], person(22), "ben"); r.Requested != 0 || r.Admitted != 0 {
		t.Fatalf("a rejected invitation is open again: %+v", r)
	}
	if p.Store.State().Members() != 1 {
		t.Fatalf("%d members", p.Store.State().Members())
	}
}

func TestWhoJoinedByAnotherWayMeanwhileKeepsThatAccount(t *testing.T) {
	p := newPublisherOf(t, wire.Charter{Approval: true})
	i := must[Invitation](t)(p.Invite(time.Hour))
	p.asks(t, i, person(20), "ana")
	if _, err := p.AdmitCode(wire.NewMemberCode(person(20), "Ana"), nil); err != nil {
		t.Fatal(err)
	}
	if _, a, err := p.Approve("1", "Anna"); err != nil || a.Number != 1 || a.Name != "Ana" {
		t.Fatalf("%+v %v", a, err)
	}
	if p.Store.State().Members() != 1 {
		t.Fatal("one key has two accounts")
	}
}

func TestAClosedInvitationTakesItsRequestWithIt(t *testing.T) {
	p := newPublisherOf(t, wire.Charter{Approval: true})
	i := must[Invitation](t)(p.Invite(time.Hour))
	p.asks(t, i, person(20), "ana")
	if closed, err := p.RevokeOpen(); err != nil || len(closed) != 0 {
		t.Fatalf("what waits is closed with all that is open: %v %v", closed, err)
	}
	if _, err := p.Revoke("1"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.Approve("1", ""); !errors.Is(err, ErrNotFound) {
		t.Fatalf("%v", err)
	}
	if waiting := must[[]Invitation](t)(p.Requests()); len(waiting) != 0 {
		t.Fatalf("%+v", waiting)
	}
}
