// Package store keeps one database on one disk: the stream in volume files,
// and beside it a pebble database with what is needed to go on without reading
// the stream again. It is crash-safe: a commit is there after a power loss
// whole or not at all.
//
// A store is one directory:
//
//	FORMAT              "weir store 2" and a line feed
//	charter             the charter's bytes
//	stream/000000.vol   the stream, one file a volume; the last is the tail
//	stream/ahead        there while something is downloaded; ahead.go
//	db/                 pebble: fixed state, accounts, Merkle hashes, indexes,
//	                    piece hashes, and the records of the role that owns it
//	commits             how many commits the index must have; count.go
//	LOCK                held by the process that has the store open
//
// A commit writes its frames at the end of the tail (and into further files
// where a sweep begins a volume), syncs them, and then writes ONE synced pebble
// batch, which holds the new length. Bytes past that length mean nothing: they
// are what a torn commit left, which Open cuts off, or a download that is under
// way, which it keeps (ahead.go). What is committed is never written to again; a
// Rewind cuts it off.
//
// The caller's duties, in order:
//
//  1. OS or NewCrashable gives a Disk; Create founds a store on it, Open opens one.
//  2. One goroutine owns the Store: it alone calls Commit, State and Close.
//     Everything that reads, and File, may be used from any goroutine.
//  3. On a full disk Open gives a store that can be read, and whose commits are
//     ErrNoSpace.
//  4. Rewind takes the log back, where a succession made its end void.
//  5. After ErrBroken, or ErrCrashed, only Close is of use: whether the last
//     commit happened is known after the next Open. After any other error of
//     Commit nothing has happened and the same commit may be tried again.
//
// Audit believes none of what pebble says. It replays the stream from the
// charter and compares. Neither it nor Open takes an index for the newest one
// that has lost commits.
//
// Dump copies what of a store is not in the stream's files, beside commits, and
// Assemble makes a store again of that and the files (dump.go): a backup.
//
// An encrypted database's store is opened with its read key (Options.ReadKey),
// and is not itself encrypted.
//
// One write step is still to come: a sweep's zeroing of deleted bodies
// (StepZero).
package store
