package lookup

import "fmt"

// ParseMessage reads a datagram. Keys may come in any order, unknown ones are
// passed over, and of a repeated one the last counts.
func ParseMessage(data []byte) (Message, error) {
	if len(data) > PacketBytesMax {
		return Message{}, fmt.Errorf("%w: %d bytes", ErrMessage, len(data))
	}
	var m Message
	r := reader{data}
	if err := m.parse(&r); err != nil {
		return Message{}, err
	}
	if len(r.b) != 0 {
		return Message{}, fmt.Errorf("%w: %d bytes follow it", ErrMessage, len(r.b))
	}
	return m, nil
}

func (m *Message) parse(r *reader) error {
	if !r.enter('d') {
		return fmt.Errorf("%w: no dict", ErrMessage)
	}
	var body byte // which of a, r, e was there
	for !r.leave() {
		key, ok := r.str()
		if !ok {
			return fmt.Errorf("%w: a key is no string", ErrMessage)
		}
		switch string(key) {
		case "a", "r":
			if body != 0 {
				return fmt.Errorf("%w: both %c and %s", ErrMessage, body, key)
			}
			body = key[0]
			if err := m.parseBody(r); err != nil {
				return err
			}
			continue
		case "e":
			if body != 0 {
				return fmt.Errorf("%w: both %c and e", ErrMessage, body)
			}
			body = 'e'
			ok = m.parseError(r)
		case "q":
			var b []byte
			b, ok = r.str()
			m.Method = method(b)
		case "ro":
			var v int64
			v, ok = r.integer()
			m.ReadOnly = v == 1
		case "t":
			m.Transaction, ok = r.str()
		case "y":
			var b []byte
			b, ok = r.str()
			if ok = ok && len(b) == 1; ok {
				m.Kind = Kind(b[0])
			}
		default:
			ok = r.skip(depthMax, false)
		}
		if !ok {
			return fmt.Errorf("%w: bad %.20q", ErrMessage, key)
		}
	}
	if m.Transaction == nil {
		return fmt.Errorf("%w: no transaction id", ErrMessage)
	}
	switch {
	case m.Kind == KindQuery && body == 'a' && m.Method != "",
		m.Kind == KindResponse && body == 'r',
		m.Kind == KindError && body == 'e':
		return nil
	}
	return fmt.Errorf("%w: not a whole query, response or error", ErrMessage)
}

// method avoids an allocation for the names we know.
func method(b []byte) string {
	switch string(b) {
	case MethodPing:
		return MethodPing
	case MethodFindNode:
		return MethodFindNode
	case MethodGetPeers:
		return MethodGetPeers
	case MethodAnnouncePeer:
		return MethodAnnouncePeer
	case MethodGet:
		return MethodGet
	case MethodPut:
		return MethodPut
	}
	return string(b)
}

// parseError reads [code, text]; further elements are passed over.
func (m *Message) parseError(r *reader) bool {
	if !r.enter('l') {
		return false
	}
	code, ok := r.integer()
	if !ok {
		return false
	}
	m.Code = int(code)
	if !r.leave() {
		text, ok := r.str()
		if !ok {
			return false
		}
		m.Text = string(text)
		for !r.leave() {
			if !r.skip(depthMax, false) {
				return false
			}
		}
	}
	return true
}

func (m *Message) parseBody(r *reader) error {
	if !r.enter('d') {
		return fmt.Errorf("%w: no dict of arguments or values", ErrMessage)
	}
	hasID := false
	for !r.leave() {
		key, ok := r.str()
		if !ok {
			return fmt.Errorf("%w: a key is no string", ErrMessage)
		}
		var n int64
		switch string(key) {
		case "id":
			hasID = true
			ok = r.bytes20(&m.ID)
		case "target", "info_hash":
			ok = r.bytes20((*[20]byte)(&m.Target))
		case "nodes":
			m.Nodes, ok = r.str()
		case "token":
			m.Token, ok = r.str()
		case "k":
			m.Key, ok = r.str()
		case "sig":
			m.Sig, ok = r.str()
		case "salt":
			m.Salt, ok = r.str()
		case "v":
			m.Value, ok = r.raw()
		case "seq":
			m.Seq, ok = r.integer()
			m.HasSeq = true
		case "cas":
			m.Cas, ok = r.integer()
			m.HasCas = true
		case "port":
			n, ok = r.integer()
			ok = ok && n >= 0 && n <= 65535
			m.Port = int(n)
		case "implied_port":
			n, ok = r.integer()
			m.ImpliedPort = n != 0
		case "want":
			ok = m.parseWant(r)
		case "values":
			ok = m.parsePeers(r)
		default:
			ok = r.skip(depthMax, false)
		}
		if !ok {
			return fmt.Errorf("%w: bad %.20q", ErrMessage, key)
		}
	}
	if !hasID {
		return fmt.Errorf("%w: no node id", ErrMessage)
	}
	return nil
}

func (r *reader) bytes20(dst *[20]byte) bool {
	b, ok := r.str()
	if !ok || len(b) != len(dst) {
		return false
	}
	copy(dst[:], b)
	return true
}

func (m *Message) parseWant(r *reader) bool {
	if !r.enter('l') {
		return false
	}
	m.Want = 0
	for !r.leave() {
		w, ok := r.str()
		if !ok {
			return false
		}
		switch string(w) {
		case "n4":
			m.Want |= WantN4
		case "n6":
			m.Want |= WantN6
		case "n0":
			m.Want |= WantNone
		}
	}
	return true
}

// parsePeers reads the IPv4 torrent peers; others are passed over.
func (m *Message) parsePeers(r *reader) bool {
	if !r.enter('l') {
		return false
	}
	m.Peers = nil
	for !r.leave() {
		p, ok := r.str()
		if !ok {
			return false
		}
		if len(p) == compactAddrBytes {
			m.Peers = append(m.Peers, compactAddr(p))
		}
	}
	return true
}
