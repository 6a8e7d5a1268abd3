// Package mainline is the edge to the BitTorrent Mainline DHT: one UDP socket
// that our own look-up machine (internal/lookup) and an anacrolix/dht server
// share.
//
// # What is behind the socket
//
//	socket ─▶ guard ─┬─ replies ─▶ the node's goroutine ─▶ lookup.Client
//	                 │                  └─ not ours ─▶ anacrolix server
//	                 ├─ queries ────────────────────▶ anacrolix server
//	                 └─ of unknown methods ─▶ error 204
//
// The guard reads every datagram once, with limits. A datagram that the server
// could not decode, or that would crash it, is dropped and counted; what passes
// decodes without error. The server answers ping, find_node, get_peers,
// announce_peer, get and put (BEP 5, 44) from bounded stores and keeps the
// routing table. Everything this program asks of the DHT goes through the
// lookup.Client, except torrent peers, which are looked up by Announce and
// GetPeers.
//
// # Using it
//
// Open a Node, ask it with Get, Put, Poll, GetPeers and Announce, Close it. Their
// callbacks run on the node's goroutine and must not block; a role with a
// goroutine of its own takes a Bound from Node.Post, whose callbacks arrive where
// the role wants them. Every callback is called exactly once, at the
// latest by Close. Keep what Nodes returns and give it to the next Open as
// Config.Cache: the network is then found when every bootstrap address is dead.
//
// StartNetwork makes a private DHT of many nodes on loopback addresses for tests,
// the demo and weir dht. Network.Hostile adds nodes that lie, keep silent or send
// packets that crash others.
//
// IPv4 only, as the Mainline DHT that carries BEP 44 in practice is.
package mainline
