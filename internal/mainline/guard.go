package mainline

import "weir/internal/lookup"

// packetBytesMax is the longest datagram that is looked at. The largest honest
// one, an item of 1000 bytes with eight nodes and a token, has under 1500.
const packetBytesMax = 2048

// verdict is what the guard thinks of a datagram.
type verdict uint8

const (
	pass      verdict = iota
	malformed         // not a KRPC message that the server could decode
	crashing          // would crash the server, or make it allocate without bound
	oversized         // longer than packetBytesMax
	flooding          // more queries from one address than queryRate allows
	overflow          // the server is behind
	unasked           // a reply of somebody who was asked nothing
	verdicts
)

func (v verdict) String() string {
	return [...]string{"pass", "malformed", "crashing", "oversized", "flooding", "overflow", "unasked"}[v]
}

// kind is KRPC's y.
type kind uint8

const (
	kindNone  kind = iota
	kindQuery      // of a method that the server knows
	kindOther      // a query of any other method
	kindReply      // response or error
)

// inspect reads a datagram once. What passes is one whole KRPC message (BEP 5) that
// anacrolix/dht decodes without error and handles without panic: every field it
// knows has its type and size, appears once, and is not one of these, each of which crashes it
// in a goroutine that nobody can recover:
//
//   - put or announce_peer without arguments
//   - an ip, or a torrent peer in values, of 0 or 1 bytes
//   - a response with k, v and sig but without seq
//   - a string said to be longer than the datagram (room is made for it first)
//   - lists in lists without end
//
// Order of keys in the message's own dictionaries is not checked: real clients err there.
func inspect(b []byte) (kind, verdict) {
	if len(b) > packetBytesMax {
		return kindNone, oversized
	}
	m := message{scanner: scanner{b: b}}
	m.read()
	if m.bad == pass && m.i != len(b) {
		m.fail(malformed)
	}
	if m.bad != pass {
		return kindNone, m.bad
	}
	return m.judge()
}

// refusal is the answer to a query of kindOther that passed: error 204 (BEP 5). It is shorter than any such query.
func refusal(b []byte) []byte {
	m := message{scanner: scanner{b: b}}
	m.read()
	e := lookup.Message{Kind: lookup.KindError, Transaction: m.t, Code: lookup.CodeMethodUnknown, Text: "Method Unknown"}
	return e.Encode()
}

// message is the outline of a KRPC message.
type message struct {
	scanner
	t, y, q []byte
	seen    fields // of the message's own dictionary
	args    fields
	ret     fields
}

// judge decides about a message whose fields are sound one by one.
func (m *message) judge() (kind, verdict) {
	if len(m.t) == 0 || len(m.t) > 32 {
		return kindNone, malformed
	}
	switch string(m.y) {
	case "q":
		if len(m.q) == 0 || len(m.q) > 32 {
			return kindNone, malformed
		}
		stores := string(m.q) == "put" || string(m.q) == "announce_peer"
		if stores && !m.seen.has(fieldA) {
			return kindNone, crashing
		}
		if !m.args.has(fieldID) || string(m.q) == "put" && !m.args.has(fieldV) {
			return kindNone, malformed
		}
		switch string(m.q) {
		case lookup.MethodPing, lookup.MethodFindNode, lookup.MethodGetPeers, lookup.MethodAnnouncePeer, lookup.MethodGet, lookup.MethodPut:
			return kindQuery, pass
		}
		return kindOther, pass
	case "r":
		if m.ret.has(fieldK|fieldV|fieldSig) && !m.ret.has(fieldSeq) {
			return kindNone, crashing
		}
		if !m.ret.has(fieldID) {
			return kindNone, malformed
		}
		return kindReply, pass
	case "e":
		if !m.seen.has(fieldE) {
			return kindNone, malformed
		}
		return kindReply, pass
	}
	return kindNone, malformed
}

// fields is a set of the fields seen in one dictionary.
type fields uint32

const (
	fieldT fields = 1 << iota
	fieldY
	fieldQ
	fieldA
	fieldR
	fieldE
	fieldIP
	fieldRO
	fieldID
	fieldInfoHash
	fieldTarget
	fieldToken
	fieldPort
	fieldImplied
	fieldWant
	fieldNoSeed
	fieldScrape
	fieldV
	fieldSeq
	fieldCas
	fieldK
	fieldSalt
	fieldSig
	fieldNodes
	fieldNodes6
	fieldValues
	fieldBFsd
	fieldBFpe
	fieldInterval
	fieldNum
	fieldSamples
)

func (f fields) has(g fields) bool { return f&g == g }

// once notes a field of a dictionary; a second time is an error.
func (m *message) once(in *fields, f fields) {
	if in.has(f) {
		m.fail(malformed)
	}
	*in |= f
}

func (m *message) read() {
	for m.open('d'); !m.end(); {
		switch string(m.str()) {
		case "t":
			m.once(&m.seen, fieldT)
			m.t = m.str()
		case "y":
			m.once(&m.seen, fieldY)
			m.y = m.str()
		case "q":
			m.once(&m.seen, fieldQ)
			m.q = m.str()
		case "a":
			m.once(&m.seen, fieldA)
			m.readArgs()
		case "r":
			m.once(&m.seen, fieldR)
			m.readReturn()
		case "e":
			m.once(&m.seen, fieldE)
			m.readError()
		case "ip":
			m.once(&m.seen, fieldIP)
			m.address()
		case "ro":
			m.once(&m.seen, fieldRO)
			m.digits()
		case "v": // the client's name and version
			m.once(&m.seen, fieldV)
			m.str()
		default:
			m.any(2)
		}
	}
}

func (m *message) readArgs() {
	in := &m.args
	for m.open('d'); !m.end(); {
		switch string(m.str()) {
		case "id":
			m.sized(in, fieldID, 20)
		case "info_hash":
			m.sized(in, fieldInfoHash, 20)
		case "target":
			m.sized(in, fieldTarget, 20)
		case "k":
			m.sized(in, fieldK, 32)
		case "sig":
			m.sized(in, fieldSig, 64)
		case "token":
			m.once(in, fieldToken)
			m.str()
		case "salt":
			m.once(in, fieldSalt)
			m.str()
		case "port":
			m.number(in, fieldPort)
		case "implied_port":
			m.once(in, fieldImplied)
			m.digits()
		case "noseed":
			m.number(in, fieldNoSeed)
		case "scrape":
			m.number(in, fieldScrape)
		case "seq":
			m.number(in, fieldSeq)
		case "cas":
			m.number(in, fieldCas)
		case "want":
			m.once(in, fieldWant)
			for m.open('l'); !m.end(); {
				m.str()
			}
		case "v":
			m.once(in, fieldV)
			m.any(3)
		default:
			m.any(3)
		}
	}
}

func (m *message) readReturn() {
	in := &m.ret
	for m.open('d'); !m.end(); {
		switch string(m.str()) {
		case "id":
			m.sized(in, fieldID, 20)
		case "k":
			m.sized(in, fieldK, 32)
		case "sig":
			m.sized(in, fieldSig, 64)
		case "BFsd":
			m.sized(in, fieldBFsd, 256)
		case "BFpe":
			m.sized(in, fieldBFpe, 256)
		case "nodes":
			m.packed(in, fieldNodes, 26)
		case "nodes6":
			m.packed(in, fieldNodes6, 38)
		case "samples":
			m.packed(in, fieldSamples, 20)
		case "token":
			m.once(in, fieldToken)
			m.str()
		case "seq":
			m.number(in, fieldSeq)
		case "interval":
			m.number(in, fieldInterval)
		case "num":
			m.number(in, fieldNum)
		case "values":
			m.once(in, fieldValues)
			for m.open('l'); !m.end(); {
				m.address()
			}
		case "v":
			m.once(in, fieldV)
			m.any(3)
		default:
			m.any(3)
		}
	}
}

// readError reads e: a list of code and text, or the text alone.
func (m *message) readError() {
	if m.peek() != 'l' {
		m.str()
		return
	}
	m.open('l')
	m.integer()
	m.str()
	for !m.end() {
		m.any(3)
	}
}

// address is a compact address: an IP of any length and a port of 2 bytes.
func (m *message) address() {
	if a := m.str(); m.bad == pass && len(a) < 2 {
		m.fail(crashing)
	}
}

func (m *message) sized(in *fields, f fields, size int) {
	m.once(in, f)
	if v := m.str(); len(v) != size {
		m.fail(malformed)
	}
}

func (m *message) packed(in *fields, f fields, each int) {
	m.once(in, f)
	if v := m.str(); len(v)%each != 0 {
		m.fail(malformed)
	}
}

func (m *message) number(in *fields, f fields) {
	m.once(in, f)
	m.integer()
}
