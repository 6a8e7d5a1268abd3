// Package demo shows the whole of weir on one machine: a private DHT, a
// manager, members who pay each other, three of whom are hostile, and at the
// end a stranger in a process of its own who has nothing but the public link
// and checks everything.
//
// Nothing in it is played: the members are agents as weir member run starts
// them (internal/host), each with a UDP socket, a torrent client and a store
// of its own, and they join by invitation. The hostile three have no agent;
// they put bytes of their own making through DHT nodes of their own. Only the
// moment at which a cycle begins is the demo's, so that a round of payments is
// one cycle. Keys are kept unencrypted.
//
// Nothing in it is taken for granted either: Run gives an error unless every
// honest payment was accepted, every cheat met and refused, neither more nor
// less was counted, and the stranger found what the manager has.
package demo
