// Package lookup speaks to the Mainline DHT: the KRPC codec, BEP-44 items, and
// the machine that gets and puts them.
//
// It does no IO and knows no clock. A Client takes datagrams, times and
// requests; it gives datagrams, a time when it wants to be called again, and
// results. The same inputs and the same Random give the same outputs to the
// last byte, so the simulated world replays it.
//
// # Driving a Client
//
// One goroutine owns a Client and, in a loop:
//
//  1. hands each datagram to Handle; if that says false, the datagram is for
//     the DHT node that shares the port;
//  2. calls Tick when Next has come (a zero Next: nothing is under way);
//  3. after every Handle, Tick, Get or Put sends what Packets gives.
//
// Results arrive by callbacks, which run inside Handle and Tick only and may
// start further operations.
//
// # A traversal
//
// A get starts at the remembered nodes closest to the target, asks each for
// the item, and goes on to the closer nodes they name, until the 8 closest
// that are alive have answered with a write token (BEP 5, BEP 44). It asks
// without a seq and compares the bytes of all answers, so a stale or lying
// node cannot hide a newer item that another one has, and two items of one
// seq are seen. A put is a traversal and then a put to each of those 8, asked
// again until it says yes, no, or nothing.
//
// Nodes name each other for long after they have gone. Who was silent twice, three
// tries each, has one try in each look-up of the next hour, and nobody waits for it (silence.go).
//
// # Hostile nodes
//
// An answer counts only from the address that was asked, with the transaction
// id (56 random bits) it was asked with. A node is placed by the id in its own
// answer, not by what others say about it. What one answer can add, what one
// public IP address can be asked, and what one traversal asks and remembers
// are all limited (limits.go). Nodes on public addresses cannot send us to
// private ones.
//
// Whoever settles around one key to hide it makes that place more crowded than others
// are; a traversal there takes more than 8 nodes, as far as honest ones are
// (density.go).
//
// KRPC errors and limits: BEP 5, BEP 43 (ro), BEP 32 (want), BEP 44.
package lookup
