package host

import (
	"context"
	"fmt"

	"weir/internal/lookup"
	"weir/ledger/wire"
)

// Charter fetches the founding document that a link names, for somebody who wants
// to see what it is before anything is made for it.
func Charter(ctx context.Context, n Network, link wire.DatabaseLink) (*wire.Charter, error) {
	edges, err := n.Open(ctx, "", link.Bootstrap, func(f func()) { f() })
	if err != nil {
		return nil, err
	}
	defer edges.Close()
	answer := make(chan lookup.Found, 1)
	edges.Node.Get(lookup.Get{Target: wire.Target(link.ID)}, func(f lookup.Found) { answer <- f })
	var found lookup.Found
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("look for the database: %w", ctx.Err())
	case found = <-answer:
	}
	switch {
	case found.Answered == 0:
		return nil, edges.NoNode()
	case found.Item == nil:
		return nil, fmt.Errorf("look for the database: %w: none of %d DHT nodes has it", ErrNotFound, found.Answered)
	}
	b := found.Item.Value
	if wire.CharterID(b) != link.ID || wire.CharterDigest(b).Prefix() != link.Digest {
		return nil, fmt.Errorf("look for the database: %w: what was found is not what the link names", ErrNotVerified)
	}
	return wire.ParseCharter(b)
}
