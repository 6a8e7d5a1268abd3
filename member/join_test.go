package member

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"weir/keys"
	"weir/ledger/store"
	"weir/ledger/wire"
)

func invitation(k *keeper, lifetime time.Duration) *wire.Invitation {
	return &wire.Invitation{DatabaseLink: k.link(), Secret: [16]byte{7}, Expires: k.now.Add(lifetime).Truncate(time.Second)}
}

// request is what lies under an invitation's key, opened; nil: nothing.
func (k *keeper) request(in *wire.Invitation) *wire.JoinRequest {
	st := k.db.State()
	private := wire.InviteKey(in.Secret, st.Digest)
	invite := keys.Public(private.Public().(ed25519.PublicKey))
	it, ok := k.items[wire.MutableTarget(invite, st.ID.Salt())]
	if !ok {
		return nil
	}
	r := must[wire.JoinRequest](k.t)(wire.OpenJoinRequest(it.Value, k.id))
	if !r.Verify(st.Digest, invite) {
		k.t.Fatal("a request without proof")
	}
	return &r
}

func newJoiner(t testing.TB, k *keeper, n uint64, id *keys.Identity, name string, in *wire.Invitation) *device {
	d := &device{host: k.world.host(n), id: id, disk: store.NewCrashable(n, nil), invite: in, name: name}
	d.open(t, k)
	return d
}

func TestAnInvitationIsAnsweredAndTheLogAdmits(t *testing.T) {
	w, k := scene(t)
	in := invitation(k, 7*24*time.Hour)
	cay := newJoiner(t, k, 5, identity(15), "cay", in)
	w.run(5 * time.Second)
	if s := cay.Status(); s.Joining != Asking || s.Request != 8 || s.Account != nil {
		t.Fatalf("%+v", s)
	}
	r := k.request(in)
	if r == nil || r.Name != "cay" || r.Key != cay.id.Public() {
		t.Fatalf("%+v", r)
	}
	if _, err := cay.Pay(1, 1, "", time.Time{}); !errors.Is(err, ErrNotAdmitted) {
		t.Fatalf("%v", err)
	}
	cay.invite = nil // the store remembers it
	cay.reopen(t, k)
	w.run(time.Minute)
	if s := cay.Status(); s.Joining != Asking {
		t.Fatalf("after a restart: %+v", s)
	}
	k.admit(cay.id, "cay")
	w.cycle(k)
	if s := cay.Status(); s.Joining != Admitted || s.Account == nil || s.Account.Name != "cay" || s.Nodes != 8 {
		t.Fatalf("%+v", s)
	}
	cay.pay(t, 1)
	w.run(5 * time.Second)
	w.cycle(k)
	if s := cay.Status(); s.Account.Balance != -1 {
		t.Fatalf("%+v", s.Account)
	}
}

func TestASecondJoinerSaysThatTheInvitationIsUsed(t *testing.T) {
	w, k := scene(t)
	in := invitation(k, time.Hour)
	newJoiner(t, k, 5, identity(15), "cay", in)
	w.run(5 * time.Second)
	thief := newJoiner(t, k, 6, identity(16), "eve", in)
	w.run(time.Minute)
	for range 2 {
		if s := thief.Status(); s.Joining != Taken || !strings.Contains(strings.Join(s.Warnings(), " "), "somebody else used this invitation") {
			t.Fatalf("%+v", s)
		}
		thief.reopen(t, k)
		w.run(time.Minute)
	}
	if r := k.request(in); r.Name != "cay" {
		t.Fatalf("%+v", r)
	}
}

func TestAnInvitationExpires(t *testing.T) {
	w, k := scene(t)
	cay := newJoiner(t, k, 5, identity(15), "cay", invitation(k, 30*time.Minute))
	w.run(29 * time.Minute)
	if s := cay.Status(); s.Joining != Asking {
		t.Fatalf("%+v", s)
	}
	w.run(2 * time.Minute)
	if s := cay.Status(); s.Joining != Lapsed || !strings.Contains(fmt.Sprint(s.Warnings()), "expired") {
		t.Fatalf("%+v", s)
	}
	k.admit(cay.id, "cay") // late, but by the manager's own will
	w.cycle(k)
	if s := cay.Status(); s.Joining != Admitted {
		t.Fatalf("%+v", s)
	}
}
