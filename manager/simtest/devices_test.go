package simtest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"weir/internal/simnet"
	"weir/ledger/wire"
	"weir/member"
)

func TestOfTwoDevicesWithOneMembersKeyOneStopsAndSaysSo(t *testing.T) {
	t.Parallel()
	w, m := begin(t, Setup{}, ManagerSetup{}, "ada", "bob")
	ada, bob := m[0], m[1]
	ada.Off()
	first, second := ada.disk.Restart(), ada.disk.Restart()
	ada.disk = first
	w.Split(ada.id.Public())
	other := ada.Twin(second)
	for _, m := range []*Member{ada, other} {
		if err := m.On(); err != nil {
			t.Fatal(err)
		}
	}
	w.Run(time.Minute)
	must(ada.Pay(bob, 100))(t)
	w.Run(5 * time.Minute)
	if s := ada.Role.Status(); s.Foreign != "" || s.Waiting != 0 || s.Account.Balance != -100 {
		t.Fatalf("the device that signs has %d and %q", s.Account.Balance, s.Foreign)
	}
	// The other one has seen an entry that it did not make.
	_, err := other.Pay(bob, 200)
	if !errors.Is(err, member.ErrOtherDevice) {
		t.Fatalf("the other device still pays: %v", err)
	}
	if s := other.Role.Status(); !strings.Contains(s.Foreign, "another device") {
		t.Errorf("it says %q", s.Foreign)
	}
	if w.Manager.state.Accepted != 3 {
		t.Errorf("%d entries were applied, want two admissions and a payment", w.Manager.state.Accepted)
	}
	// Its owner says that it goes on; then the first one stops.
	if err := other.Role.TakeOver(); err != nil {
		t.Fatal(err)
	}
	other.signed = append([]signed(nil), ada.signed...)
	must(other.Pay(bob, 30))(t)
	w.Run(20 * time.Minute)
	if s := other.Role.Status(); s.Foreign != "" || s.Account.Balance != -130 {
		t.Errorf("the device that took over has %d and %q %q", s.Account.Balance, s.Foreign, s.Trouble)
	}
	if s := ada.Role.Status(); s.Foreign == "" {
		t.Errorf("the device that was taken over does not know it")
	}
	if err := w.Err(); err != nil {
		t.Error(err)
	}
}

// Two devices in two halves of a network both sign number 1. When it heals,
// the manager has one of them in its log and gets the other: that is proof.
func TestANumberSignedOnTwoDevicesIsEvidence(t *testing.T) {
	t.Parallel()
	w, m := begin(t, Setup{}, ManagerSetup{}, "ada", "bob")
	ada, bob := m[0], m[1]
	ada.Off()
	first, second := ada.disk.Restart(), ada.disk.Restart()
	ada.disk = first
	w.Split(ada.id.Public())
	other := ada.Twin(second)
	half := []*simnet.Endpoint{other.host.Endpoint}
	for i, n := range w.Nodes.All {
		if i%2 == 1 {
			half = append(half, n.Endpoint)
		}
	}
	w.Net.Partition(1, half...)
	for _, m := range []*Member{ada, other} {
		if err := m.On(); err != nil {
			t.Fatal(err)
		}
	}
	w.Run(time.Minute)
	must(ada.Pay(bob, 100))(t)
	w.Run(5 * time.Minute)
	must(other.Pay(bob, 200))(t) // under a higher seq than that of the one that is in the log
	w.Run(5 * time.Minute)
	ada.Off() // or it would meet the other's outbox first and stop
	w.Net.Heal()
	w.Run(30 * time.Minute)
	all := must(w.Manager.Evidence())(t)
	if len(all) != 1 || all[0].Kind != wire.EvidenceChanges || all[0].Changes[0].Key != ada.id.Public() || all[0].Changes[0].Number != 1 {
		t.Fatalf("the manager keeps %v", all)
	}
	if s := other.Role.Status(); !strings.Contains(s.Foreign, "another device") {
		t.Errorf("the device whose number came second says %q %q", s.Foreign, s.Trouble)
	}
	if st := w.Manager.state; st.Accepted != 3 || st.Refused != 0 {
		t.Errorf("%d applied and %d refused, want two admissions and one payment", st.Accepted, st.Refused)
	}
}
