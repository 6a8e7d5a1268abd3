package mainline

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// names resolves from a map and knows nothing else.
func names(known map[string][]string) func(context.Context, string) ([]netip.Addr, error) {
	return func(_ context.Context, host string) (addrs []netip.Addr, err error) {
		if known[host] == nil {
			return nil, fmt.Errorf("lookup %s: no such host", host)
		}
		for _, a := range known[host] {
			addrs = append(addrs, netip.MustParseAddr(a))
		}
		return addrs, nil
	}
}

func TestBootstrapAddressesAreResolvedInOrderEachOnce(t *testing.T) {
	resolve := names(map[string][]string{
		"two.example": {"192.0.2.1", "::ffff:192.0.2.2", "2001:db8::1"}, "six.example": {"2001:db8::1"},
	})
	hosts := []string{
		"192.0.2.9:1", "two.example:6881", "gone.example:6881", "six.example:1", "no port", "a:b", "a:0", "[::1]:5", "192.0.2.1:6881",
	}
	addrs, problems := resolveAll(t.Context(), hosts, resolve)
	if got := fmt.Sprint(addrs); got != "[192.0.2.9:1 192.0.2.1:6881 192.0.2.2:6881]" {
		t.Error(got)
	}
	want := []string{
		`bootstrap address "gone.example:6881": lookup gone.example: no such host`,
		`bootstrap address "six.example:1": it has no IPv4 address`,
		`bootstrap address "no port": it is not host:port`,
		`bootstrap address "a:b": "b" is not a port`,
		`bootstrap address "a:0": "0" is not a port`,
		`bootstrap address "[::1]:5": it has no IPv4 address`,
	}
	if len(problems) != len(want) {
		t.Fatal(problems)
	}
	for i := range want {
		if problems[i].Error() != want[i] {
			t.Errorf("%v, want %s", problems[i], want[i])
		}
	}
}

func TestANameThatDoesNotResolveIsToldAndTheOthersAreUsed(t *testing.T) {
	w := network(t, 12)
	var logged []string
	n := open(t, Config{
		Bootstrap: append([]string{"gone.example:6881"}, w.Hosts(1)...),
		Resolve:   names(nil),
		Logf:      func(f string, args ...any) { logged = append(logged, fmt.Sprintf(f, args...)) },
	})
	if p := n.Problems(); len(p) != 1 || !strings.Contains(p[0].Error(), "gone.example") {
		t.Errorf("problems: %v", p)
	}
	if len(logged) != 1 || !strings.Contains(logged[0], "gone.example") {
		t.Errorf("logged: %q", logged)
	}
	it := sign(t, newKey(t), 1, "1:a")
	if s := put(t, n, it); s.Err != nil || s.Acknowledged < 8 {
		t.Errorf("put: %+v", s)
	}
}

func TestWithoutOneUsableAddressOpenSaysWhy(t *testing.T) {
	_, err := Open(t.Context(), Config{
		Listen: "127.0.0.1:0", Bootstrap: []string{"gone.example:6881", "nowhere"}, Resolve: names(nil),
	})
	if err == nil || !strings.Contains(err.Error(), "gone.example") || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("error: %v", err)
	}
}

func TestAListenAddressThatCannotBeHadIsNamed(t *testing.T) {
	n := open(t, Config{})
	for _, address := range []string{n.Addr().String(), "192.0.2.1:1", "x", "127.0.0.1:99999"} {
		if _, err := Open(t.Context(), Config{Listen: address}); err == nil || !strings.Contains(err.Error(), address) {
			t.Errorf("%s: %v", address, err)
		}
	}
}
