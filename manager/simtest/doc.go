// Package simtest is a database in a simulated world: the manager, its members
// and readers as they ship, on package simnet's network and DHT nodes and on
// ledger/store's crashable disks. Nothing in it takes real time, and a seed is
// a run: the same seed gives the same World.Hash.
//
// # The random world
//
// Run lives through a time in which everything goes wrong that may and members
// pay each other all along; then the faults stop, and the world runs until it is
// quiet. It gives an error as soon as something is seen that must never be.
// Result.Faults tells what went wrong. All of it is drawn from the seed:
//
//   - the network loses, duplicates, reorders and delays; it falls apart in two
//     and heals; a machine's cable is pulled; machines and DHT nodes are behind
//     NATs
//   - DHT nodes come and go, lose items before their time, and are silent, stale,
//     forgetful, forging, flooding, impostors or out to crash others; some settle
//     next to one key to hide it
//   - torrent peers stall, lose and lie
//   - the power goes at any write of the manager's and the members' disks; clocks
//     are wrong and leap
//   - a rogue forges, replays, renumbers, overspends; a member is set back to a
//     backup; a member uses two machines with one key
//
// When all of that has ended well, the manager's own misfortune is the end, one a
// seed: an old copy of it is started, it runs on two machines, or it shows two
// halves of the network two histories.
//
// # A world of one's own
//
//	w := simtest.New(seed, simtest.Setup{})
//	defer w.Close()
//	w.Found(simtest.ManagerSetup{})               // the database, and its manager
//	ada, bob := w.Admit("ada"), w.Admit("bob")    // members with an account
//	w.Run(2 * time.Minute)
//	ada.Pay(bob, 500)
//	w.Settle(10 * time.Minute)                    // until nothing waits any more
//	err := w.Check()
//
// Every machine has On, Off, Crash and CrashAt; what it keeps between two
// lives is its disk and the DHT nodes it knew.
//
// # What is watched
//
// After every event, wherever a log has grown: the balances sum to zero; the
// log did not lose what it had; the root is the one that every other log of
// this world has or had at that size; in the manager's log each account's
// numbers follow each other, and no entry is of a change that nobody signed.
// With every put: a seq is signed over one value only; a head's root is that
// of its size in its manager's log. At each start of a machine: what it had
// acknowledged is there. Check looks at the rest once a world is at rest: every
// signed change has exactly one entry, the heads that were ever put agree with
// the log, everybody is at one root, the audit of the stored bytes finds
// nothing, and nobody honest has evidence against them. Of two histories, each
// machine that meets both has the two signed checkpoints.
package simtest
