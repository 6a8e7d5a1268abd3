// Package swarm serves and fetches torrents with real torrent peers. It
// implements seed.Swarm on anacrolix/torrent, and no type of that library
// leaves it.
//
// Bytes are read from and written to the seed.Content of the caller, so there
// is no second copy of anything: content that is served is never hashed again,
// and content that is fetched begins with the bytes that the caller has
// already verified, or may hold any pieces of an earlier fetch. Content is used
// from several goroutines at once.
//
// Torrent peers are not trusted, and neither is the library with what they
// send (UPSTREAM of the project; v1.61.0):
//
//   - It takes any info dictionary for an infohash that it does not have yet.
//     The exchange of BEP 9 is therefore ours (metadata.go): one torrent peer
//     is asked at a time, what it sends is hashed, and the caller's Plan has
//     read it before the library does.
//   - A piece whose offset is not a multiple of its length, a BEP 52 message
//     and a few more end the process. Every message is checked before the
//     library sees it (guard.go).
//   - It ends the process when a read fails while a torrent is being dropped.
//     Such a read waits until nothing can be sent any more (piece.go).
//   - With two torrent peers it asks the second for what the first is sending
//     already. A fetch has one connection as long as that one sends (watch.go).
//   - It bans an address for one wrong piece, and so everybody behind the same
//     router. A piece of 16 KiB is hashed when it arrives; a torrent peer that
//     sent a wrong one is cut off, and its address and port are not dialled
//     again for a while. Of a shelf, whose pieces are longer, the ban stands.
//   - It keeps a connection for a minute, whatever comes of it. A torrent that
//     is full parts with whoever moved the least bytes lately (crowd.go).
//   - It tries an address once, and a fetch in thirty hangs after the info
//     dictionary. Addresses are offered again, and a fetch that stands still is
//     started once more before it fails (watch.go).
//
// The library's lock is always taken before Client.mu and never inside it.
package swarm
