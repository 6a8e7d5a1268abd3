// Package bench measures what weir promises (DESIGN section 10), for operators
// on their own machine and for us. A case is one figure beside its floor: what
// the same machine takes, in the same run, for the least that any program would
// have to do. Their ratio says more than the figure, because it is the same
// on a slow machine and on a fast one.
//
// # Cases
//
//	poll         one poll of many members' outboxes. Floor: the same number of
//	             datagrams echoed on the loopback.
//	merge        transfers verified, decided and committed to the disk. Floor:
//	             to verify their signatures in batches, on one core.
//	catchup      bytes that reach a member who missed some. Floor: those bytes.
//	publish      one cycle of a manager with a payment to publish, in a small
//	             database and in a large one. Floor: the small one.
//	attack       a poll under a flood of hostile datagrams, half of them by a node
//	             that the manager asks things. Floor: in calm.
//	propagation  from signing a payment until another member sees it applied.
//
// Poll and propagation with a round-trip time, loss or dead nodes run in the
// simulated world (internal/simnet): their times are virtual, and they say so.
// Everything else is real: sockets, torrents and disks. The DHT of a real case
// is a process of its own, so that its work is not counted as ours; it has the
// machine's cores to share with us all the same.
//
// Each Run gives its cases one by one and the budgeted one last.
package bench
