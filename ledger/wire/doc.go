// Package wire holds every format of weir: bytes in, values out. SPEC.md beside
// it is the law; each file here is one format, with its literal bytes in its
// doc comment.
//
// Decoders refuse before they parse: a limit on the size first, then the
// shape, then re-encoding must give the same bytes. A value that decodes is
// valid in itself; whether it is true (signed, in sequence, affordable) is
// decided in package ledger.
//
// From a member to the log: Change and its arguments (Transfer, Admit ...), a
// Message in the stream of a Window, sealed as an outbox. From the log to
// everybody: Entry with its effect and Body, a Frame of the stream, sealed if the
// database is encrypted, Checkpoint, Head, StateFile and the info dictionaries of
// torrents. Around them Charter, Succession, the links, JoinRequest and Evidence.
//
// A new format has a section with an example in SPEC.md, a row in
// decoders_test.go, which gives it vectors and the tests of truncation, and a
// fuzz target. After a change of bytes run
//
//	go test ./ledger/wire -update
//
// and read the difference in SPEC.md and testdata: version 1 is what it shows.
package wire
