package mainline

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// publicBootstrap are well-known addresses of the public DHT, run by different people.
func publicBootstrap() []string {
	return []string{
		"dht.transmissionbt.com:6881",
		"router.bittorrent.com:6881",
		"router.utorrent.com:6881",
		"dht.libtorrent.org:25401",
		"dht.anacrolix.link:42069",
		"router.bittorrent.cloud:42069",
		"dht.aelitis.com:6881",
	}
}

// resolveTimeout is for each name; all are resolved at once.
const resolveTimeout = 5 * time.Second

// resolveAll gives the IPv4 addresses behind host:port strings, in their
// order and each once, and one error for each string that gives none.
func resolveAll(ctx context.Context, hosts []string, resolve func(context.Context, string) ([]netip.Addr, error)) ([]netip.AddrPort, []error) {
	if resolve == nil {
		resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
		}
	}
	found := make([][]netip.AddrPort, len(hosts))
	errs := make([]error, len(hosts))
	var wg sync.WaitGroup
	for i, h := range hosts {
		wg.Go(func() { found[i], errs[i] = resolveOne(ctx, h, resolve) })
	}
	wg.Wait()

	var addrs []netip.AddrPort
	var problems []error
	seen := make(map[netip.AddrPort]bool)
	for i := range hosts {
		if errs[i] != nil {
			problems = append(problems, fmt.Errorf("bootstrap address %q: %w", hosts[i], errs[i]))
		}
		for _, a := range found[i] {
			if !seen[a] {
				seen[a] = true
				addrs = append(addrs, a)
			}
		}
	}
	return addrs, problems
}

func resolveOne(ctx context.Context, hostPort string, resolve func(context.Context, string) ([]netip.Addr, error)) ([]netip.AddrPort, error) {
	host, portText, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, errors.New("it is not host:port")
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || port == 0 {
		return nil, fmt.Errorf("%q is not a port", portText)
	}
	ips := make([]netip.Addr, 1)
	if ips[0], err = netip.ParseAddr(host); err != nil {
		ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
		defer cancel()
		if ips, err = resolve(ctx, host); err != nil {
			return nil, err
		}
	}
	var addrs []netip.AddrPort
	for _, ip := range ips {
		if ip = ip.Unmap(); ip.Is4() && !ip.IsUnspecified() {
			addrs = append(addrs, netip.AddrPortFrom(ip, uint16(port)))
		}
	}
	if len(addrs) == 0 {
		return nil, errors.New("it has no IPv4 address")
	}
	return addrs, nil
}
