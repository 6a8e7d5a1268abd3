package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"weir/internal/mainline"
)

// Networks of the addresses that RFC 5737 and RFC 1918 set aside, in network
// namespaces of the test's own: nothing reaches any other.
const (
	townNet  = "198.51.100"
	townSize = 16 // DHT nodes
)

// canMakeTowns says whether this machine lets us make network namespaces with
// NATs. In CI it must.
func canMakeTowns() (bool, error) {
	out, err := exec.Command("sh", "-c", "ip netns add weir-probe && ip netns exec weir-probe nft add table ip probe; r=$?; ip netns del weir-probe; exit $r").CombinedOutput()
	if err != nil && os.Getenv("CI") == "true" {
		return false, fmt.Errorf("make a network namespace with a NAT (iproute2, nftables, root): %w: %s", err, out)
	}
	return err == nil, nil
}

// town HOUSE... makes a street with a DHT on public addresses, and along it
// houses, each a machine of its own behind a router with NAT: the namespace
// $HOUSE. Who is in a house reaches the street, and from the street only answers
// come in.
func town(ts *testscript.TestScript, neg bool, houses []string) {
	if neg || len(houses) == 0 {
		ts.Fatalf("usage: town HOUSE...")
	}
	prefix := fmt.Sprintf("weir-%d-", os.Getpid())
	street := prefix + "street"
	run := func(command string) {
		for _, line := range strings.Split(command, "\n") {
			if words := strings.Fields(line); len(words) > 0 {
				if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
					ts.Fatalf("%s: %v: %s", strings.Join(words, " "), err, out)
				}
			}
		}
	}
	in := func(ns, command string) {
		for _, line := range strings.Split(command, "\n") {
			if strings.TrimSpace(line) != "" {
				run("ip netns exec " + ns + " " + line)
			}
		}
	}
	add := func(ns string) {
		run("ip netns add " + ns)
		ts.Defer(func() { exec.Command("ip", "netns", "del", ns).Run() })
		in(ns, "ip link set lo up")
	}
	add(street)
	in(street, "ip link add br0 type bridge\nip link set br0 up")
	var listen []string
	for i := range townSize {
		in(street, fmt.Sprintf("ip addr add %s.%d/24 dev br0", townNet, 101+i))
		listen = append(listen, fmt.Sprintf("%s.%d:6881", townNet, 101+i))
	}
	for i, house := range houses {
		router, home := prefix+house+"-router", prefix+house
		add(router)
		add(home)
		// The names of links are at most 15 bytes, and live in a namespace each.
		run(fmt.Sprintf(`ip link add out netns %s type veth peer name port%d netns %s
			ip link add in netns %s type veth peer name eth0 netns %s`, router, i, street, router, home))
		in(street, fmt.Sprintf("ip link set port%d master br0\nip link set port%d up", i, i))
		in(router, fmt.Sprintf(`ip addr add %s.%d/24 dev out
			ip link set out up
			ip addr add 192.168.%d.1/24 dev in
			ip link set in up
			sysctl -q -w net.ipv4.ip_forward=1
			nft add table ip nat
			nft add chain ip nat post { type nat hook postrouting priority 100 ; }
			nft add rule ip nat post oifname out masquerade
			nft add table ip filter
			nft add chain ip filter input { type filter hook input priority 0 ; policy drop ; }
			nft add rule ip filter input iifname in accept
			nft add rule ip filter input ct state established,related accept
			nft add chain ip filter forward { type filter hook forward priority 0 ; policy drop ; }
			nft add rule ip filter forward iifname in accept
			nft add rule ip filter forward ct state established,related accept`, townNet, 11+i, i+1))
		in(home, fmt.Sprintf("ip addr add 192.168.%d.2/24 dev eth0\nip link set eth0 up\nip route add default via 192.168.%d.1", i+1, i+1))
		ts.Setenv(strings.ToUpper(house), home)
	}
	start(ts, false, append([]string{"street", "ip", "netns", "exec", street, lookPath(ts, "streetdht")}, listen...))
	waitFor(ts, false, []string{"ready", "street.out"})
	ts.Setenv("WEIR_BOOTSTRAP", strings.Join(listen[:3], ","))
}

// streetDHT runs DHT nodes at addresses, until it is interrupted.
func streetDHT(args []string) error {
	if len(args) == 0 {
		return errors.New("no addresses")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	w, err := mainline.StartNetworkAt(ctx, args)
	if err != nil {
		return err
	}
	defer w.Close()
	fmt.Println("ready")
	<-ctx.Done()
	return nil
}
