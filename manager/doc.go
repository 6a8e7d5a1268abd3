// Package manager is the role that merges: it polls its members' outboxes,
// decides what it finds, commits it to the log and publishes a signed head
// (DESIGN section 3).
//
// A Manager is a machine. It owns no socket, clock, disk or goroutine: it is
// given Ports, and everything that happens to it (a command, an answer, a
// timer) is a call on one loop. The program runs it on internal/loop over real
// edges, the simulated world on its event loop over modelled ones; it is the
// same code.
//
// # The caller's duties, in order
//
//  1. Open a ledger/store and derive the identity that its charter names.
//  2. New, with ports whose callbacks all run on one loop and never inside the
//     call that started them.
//  3. Start, on the loop. From then on the manager polls; it publishes once
//     the checks of DESIGN 3.6 are passed.
//  4. Commands (Admit, Suspend, Invite, …) and Status, on the loop.
//  5. Stop, on the loop, before the store is closed.
//
// # What is stored when
//
// A cycle makes two commits. The first appends the batch with everything that
// follows from it. The second holds the exact signed bytes of the head that
// says so, and only then is it put. A crash between the two leaves a log that
// is longer than its newest head; the next cycle signs one. Acts of the
// manager's own (account 0) are signed and committed in one step and need no
// queue.
//
// # When its keys are replaced
//
// A succession (SPEC section 10) gives the database other keys. SignSuccession
// and Succeed make one, on the store of a manager that does not run; a manager
// that meets one of its own database, by which it is not the manager any more,
// stops.
//
// # When it stops
//
// A validly signed head or checkpoint of its own that its log does not hold
// means that two machines run one manager, or that this one was restored from
// an old copy. It then publishes nothing any more, keeps the evidence, and
// says so in Status. A clock that leapt needs a yes (AcceptClock).
package manager
