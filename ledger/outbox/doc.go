// Package outbox is the window of DESIGN section 4 as a pair of machines: how
// one BEP-44 item, and the immutable items it names, carry the messages that
// are not yet in the log. Nothing here does IO; randomness is an argument.
//
// # The stream
//
// A message is a signed change (wire.AppendMessage). The messages first to
// last, one after the other, are a stream that is cut into chunks:
//
//	chunk 0          chunk 1          chunk n-1      inline
//	900 bytes        900 bytes        1-900 bytes    what is left
//	|skip|first ......|...............|..............|..........last|
//
// The first skip bytes of chunk 0 belong to messages that are acknowledged;
// every chunk but the last has wire.ChunkBytes bytes. Chunks are sealed and
// put as immutable items; their targets and the inline rest stand in the
// sealed window, the value of the outbox item.
//
// # Sender
//
// The member's side keeps every message until its entry is in the log:
//
//  1. Next gives the number and chain to sign with, Add takes the message.
//  2. Build gives the value and the chunks. When it says that the sender has
//     changed, store Snapshot before anything is put.
//  3. Put the chunks, then the outbox item.
//  4. Acknowledge with what the log says; store Snapshot; Build again.
//
// A full chunk is sealed once and kept as bytes until its last message is
// acknowledged, so its target never changes. The short chunk at the end is
// kept until the stream grows.
//
// # Receiver
//
// The manager's side opens a window (Accept), says which chunks it lacks
// (Wanted), takes them (Chunk), and gives the longest whole run of messages
// that continues the log (Messages). What it gives is numbered and chained but
// not yet checked for signatures: that is ledger.VerifyMessages.
package outbox
