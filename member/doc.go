// Package member is the role that writes and follows: it keeps a verified copy
// of a database up to date and hands its own changes over to the manager
// (DESIGN sections 3 to 5).
//
// There are three types:
//
//   - Follower follows a database without writing: the charter, the newest
//     head, chunks or torrents, every signature, every rule. Anybody with the
//     link can run one; it serves what it holds.
//   - Desk is what a member decides by itself: sign a change, take one back,
//     see what became of it. It needs no network, so commands use it directly
//     on the store when no agent runs.
//   - Member is both, with the outbox that carries changes to the manager and
//     the request that an invitation is answered with.
//
// Follower and Member are machines. They own no socket, clock, disk or
// goroutine: they are given Ports, and everything that happens to them is a
// call on one loop.
//
// # The caller's duties, in order
//
//  1. NewFollower or NewMember, with ports whose callbacks all run on one loop
//     and never inside the call that started them.
//  2. Start, on the loop. Commands, Status and Kick, on the loop.
//  3. Stop, on the loop. After it no callback has an effect and nothing is
//     served, so the store (Store) can be closed.
//
// # What is believed
//
// A head counts when its item is signed by the charter's manager and its
// checkpoint by the charter's log key. Bytes count when the Merkle root over
// them is the signed one: a first pass over what was fetched computes it
// before anything is committed, a second pass replays the rules and commits
// in pieces. Every piece is a prefix of the signed log, so a crash between two
// is harmless. What does not verify is dropped with the reason, and the next
// source is tried. A signed checkpoint that contradicts the log held here is
// kept as evidence, and following stops; one of a longer log, once that log is
// here whole and its entries, which hash to the signed root, do not continue
// the log held here.
//
// # What is stored when
//
// What is fetched lies in the store's own files, beyond the committed log, until
// all of it was checked. It outlives a stall and a restart: the next attempt
// hashes it and asks only for what is not there. A torrent that the newest head
// does not name any more is left as soon as nothing of it comes.
//
// # How long is waited
//
// A head names five torrents, and the newest may be poisoned, or nobody there who
// has it. So one of which nothing comes is left for the next within seconds
// (firstPatience), one that stands still on the way after Config.Stall. When all
// have had their turn, another round follows with more patience for each that was
// given up too early, until that is Config.Stall too. What cannot hold anything
// newer than the log here is not fetched again.
//
// A change is stored before anybody hears of it, and the exact signed bytes of
// an outbox item with its seq before it is put; no other bytes are ever signed
// under that seq.
package member
