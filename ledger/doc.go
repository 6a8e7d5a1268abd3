// Package ledger is what is true: who has which account, what each balance is,
// and how one more batch of signed changes moves them. It is pure. The same
// state and the same input give the same batch, byte for byte, on every
// machine; time, randomness, stored hashes and signature checks are arguments.
//
// # The two directions
//
// A manager merges: Queues of verified changes go in, a Batch comes out. A
// reader replays: the frames of the published stream go in, and the same
// Batches come out, or an error that names the entry that breaks a rule. Merge
// and Replay change nothing. The caller's duties, in order:
//
//  1. VerifyMail (or VerifyMessages), so that Merge sees only changes that
//     are signed and that continue their account's chain;
//  2. Merge, or Replay and then compare Size and Root of the last batch with a
//     signed checkpoint;
//  3. write everything the Batch holds, in one commit;
//  4. Adopt, once for each batch, in order.
//
// # Rules
//
// Leaf 0 of the log is the charter's bytes as they are; leaf n is the bytes of
// entry n. Entries of one time are one batch; batch times strictly grow.
//
// A change is refused with the first Verdict, in numeric order, that fits it:
//
//	expired              its until is before the batch's time
//	unknown_history      its seen is not a prefix of this log: size 0, a size
//	                     greater than its own entry's index, or another root.
//	                     Any prefix counts, also one that ends in a batch, so
//	                     that the verdict does not depend on where a reader
//	                     splits the stream
//	unknown_kind         a kind this version does not know
//	malformed_arguments  its arguments do not decode
//	suspended            its account may only read, and receive
//	not_permitted        a transfer by account 0, or one that takes from
//	                     anybody but its signer, or not from the signer; an
//	                     admission, limit, suspension or resumption by a member;
//	                     a sweep that is not due; a succession that does not
//	                     stand where it says, is not newer, or is not signed by
//	                     the recovery key
//	unbalanced           postings that do not sum to zero, name an account
//	                     twice or are zero
//	unknown_account      an account that does not exist; account 0, which has
//	                     no balance, no limits and cannot be suspended
//	key_in_use           the key is an account's, the recovery key, or is or was
//	                     the manager's log key
//	name_in_use          the name is an account's, A-Z and a-z alike
//	invalid_limits       not lower ≤ 0 ≤ upper
//	below_lower_limit    the signer's balance would be under its lower limit
//	above_upper_limit    a receiver's balance would be over its upper limit
//
// New limits need not hold the balance of their account: such an account is
// outside, and only what moves it is looked at. Whoever pays must be at or
// above its lower limit afterwards, whoever receives at or below its upper one.
// To suspend who is suspended, or resume who is not, changes nothing and is
// applied.
//
// Merge's order is in order.go, quotas are in quota.go. Both are the manager's
// power over when, and Replay does not judge them: a manager that wanted
// another order could make a batch of every entry.
//
// A refused change leaves its entry and no body: the frame is blanked from the
// start. Its entry's body hash is over a salt of 16 zero bytes, so that the
// sender, who has the change, can compute it. An applied change's body must be
// there: a ledger deletes nothing, and without the body nobody could check that
// the effect is what its member signed.
//
// In an encrypted database the stream's frames are sealed under its read key
// (readkey.go), and nothing else is another: leaves, hashes, chains and verdicts
// are over what is in them. Lengths and offsets are the sealed stream's.
//
// A succession gives the manager other keys (term.go). Its own entry is signed by
// the new publish key, and stands where the recovery key said; so who holds the
// old keys can neither make one nor go on after it.
//
// A sweep begins a volume. It is due as soon as the tail is longer than
// wire.VolumeBytes, and is then the next entry, of the same batch. Elsewhere a
// sweep is not_permitted (a kind of database that deletes will allow others,
// by rules of its own). So that one can come between any two acts of account
// 0, Merge itself numbers and signs these.
package ledger
