package lookup

import (
	"errors"
	"net/netip"
	"slices"

	"weir/keys"
	"weir/ledger/wire"
)

// ErrMessage is wrapped by every error about a datagram that is not KRPC.
var ErrMessage = errors.New("not a KRPC message")

// Kind is what a message is: its "y".
type Kind byte

// The kinds of messages.
const (
	KindQuery    Kind = 'q'
	KindResponse Kind = 'r'
	KindError    Kind = 'e'
)

// Methods of queries: BEP 5 and BEP 44.
const (
	MethodPing         = "ping"
	MethodFindNode     = "find_node"
	MethodGetPeers     = "get_peers"
	MethodAnnouncePeer = "announce_peer"
	MethodGet          = "get"
	MethodPut          = "put"
)

// Codes of errors: BEP 5 and BEP 44.
const (
	CodeGeneric       = 201
	CodeServer        = 202
	CodeProtocol      = 203 // malformed, or a bad token
	CodeMethodUnknown = 204
	CodeValueTooBig   = 205
	CodeBadSignature  = 206
	CodeSaltTooBig    = 207
	CodeCasMismatch   = 301
	CodeSeqTooLow     = 302
)

// Want is which nodes a query asks for (BEP 32).
type Want uint8

// WantNone ("n0") is our own word: servers that follow BEP 32 then send none.
const (
	WantN4 Want = 1 << iota
	WantN6
	WantNone
)

// Message is a KRPC message of any kind (BEP 5):
//
//	query     d 1:a d ARGUMENTS e 1:q METHOD [2:ro i1e] 1:t TRANSACTION 1:y1:q e
//	response  d 1:r d VALUES e 1:t TRANSACTION 1:y1:r e
//	error     d 1:e l i CODE e TEXT e 1:t TRANSACTION 1:y1:e e
//
// Arguments and values share their fields. What is not there is zero; slices of
// a parsed message alias the datagram. Only types are checked: a Key may be of
// any length.
type Message struct {
	Kind        Kind
	Transaction []byte
	Method      string // queries
	ReadOnly    bool   // queries; BEP 43: do not take the sender for a node
	Code        int    // errors
	Text        string // errors

	ID     [20]byte    // the sender's; in every query and response
	Target wire.Target // "target" of find_node and get, "info_hash" of get_peers and announce_peer
	Want   Want
	Nodes  []byte // compact: 26 bytes each, see AppendNode and ParseNodes
	Token  []byte

	Value  []byte // bencoded, as it came
	Key    []byte // 32 bytes
	Sig    []byte // 64 bytes
	Salt   []byte
	Seq    int64
	HasSeq bool
	Cas    int64
	HasCas bool

	Port        int // announce_peer
	ImpliedPort bool
	Peers       []netip.AddrPort // "values" of get_peers, IPv4 only
}

// Item is the item a put or an answer carries, a copy. It is not verified; when
// a part is missing or of the wrong length, it will not verify.
func (m *Message) Item() Item {
	it := Item{Value: slices.Clone(m.Value)}
	if m.Key == nil {
		it.Target = wire.ImmutableTarget(it.Value)
		return it
	}
	it.Mutable, it.Seq, it.Salt = true, m.Seq, slices.Clone(m.Salt)
	copy(it.Key[:], m.Key)
	copy(it.Sig[:], m.Sig)
	it.Target = wire.MutableTarget(it.Key, it.Salt)
	if len(m.Key) != keys.PublicBytes || len(m.Sig) != len(it.Sig) || !m.HasSeq {
		it.Seq = -1 // is never valid
	}
	return it
}
