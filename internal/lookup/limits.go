package lookup

import "time"

// Limits of formats.
const (
	PacketBytesMax = 2048 // a datagram longer than this is not KRPC
	SaltBytesMax   = 64   // BEP 44
	tokenBytesMax  = 128  // longer write tokens would not leave a put room in a datagram
	depthMax       = 32   // of nested bencode
)

// Limits of one traversal, against nodes that lie.
const (
	replyNodesMax  = 8                // nodes read from one answer, as many as honest ones send: more help invented ones
	askedMax       = 200              // queries, retransmissions not counted
	traversalMax   = 15 * time.Second // after which nobody more is asked
	candidatesMax  = 256
	askedPerIPMax  = 4  // of one public IP address
	doubtAfter     = 3  // silent nodes that one may name for nothing; see candidate.doubtful
	startNodes     = 16 // remembered nodes a traversal starts from
	validItemsMax  = 16 // different valid items kept for comparison
	conflictsMax   = 4
	closestNodes   = 8 // BEP 5: who stores an item
	nodeFailures   = 2 // failures in a row after which a node is forgotten
	timeoutMin     = 250 * time.Millisecond
	hedgeMin       = 200 * time.Millisecond
	triesMax       = 16
	triedTextNodes = 8 // addresses an error's text names
)
