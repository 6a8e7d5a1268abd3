package lookup

// Encode is the message as a datagram, in canonical bencode.
func (m *Message) Encode() []byte { return m.Append(make([]byte, 0, m.sizeHint())) }

// Encoder encodes messages behind each other in blocks: one allocation serves
// many datagrams. They may be kept, and keep their block.
type Encoder struct{ block []byte }

const encoderBlock = 6 << 10

// Encode is m as a datagram.
func (e *Encoder) Encode(m *Message) []byte {
	if hint := m.sizeHint(); cap(e.block)-len(e.block) < hint {
		e.block = make([]byte, 0, max(encoderBlock, hint))
	}
	start := len(e.block)
	e.block = m.Append(e.block)
	return e.block[start:len(e.block):len(e.block)]
}

func (m *Message) sizeHint() int {
	return 192 + len(m.Value) + len(m.Nodes) + len(m.Token) + len(m.Salt) + len(m.Key) + len(m.Sig) + len(m.Text) + 8*len(m.Peers)
}

// Append appends the message as a datagram to dst.
func (m *Message) Append(dst []byte) []byte {
	dst = append(dst, 'd')
	switch m.Kind {
	case KindQuery:
		dst = append(dst, "1:a"...)
		dst = m.appendBody(dst)
		dst = append(dst, "1:q"...)
		dst = appendString(dst, m.Method)
		if m.ReadOnly {
			dst = append(dst, "2:roi1e"...)
		}
	case KindResponse:
		dst = append(dst, "1:r"...)
		dst = m.appendBody(dst)
	case KindError:
		dst = append(dst, "1:el"...)
		dst = appendInt(dst, int64(m.Code))
		dst = appendString(dst, m.Text)
		dst = append(dst, 'e')
	}
	dst = append(dst, "1:t"...)
	dst = appendString(dst, m.Transaction)
	return append(dst, '1', ':', 'y', '1', ':', byte(m.Kind), 'e')
}

// appendBody writes arguments or values, keys in order.
func (m *Message) appendBody(dst []byte) []byte {
	dst = append(dst, 'd')
	if m.HasCas {
		dst = append(dst, "3:cas"...)
		dst = appendInt(dst, m.Cas)
	}
	dst = append(dst, "2:id20:"...)
	dst = append(dst, m.ID[:]...)
	if m.ImpliedPort {
		dst = append(dst, "12:implied_porti1e"...)
	}
	if m.Kind == KindQuery && (m.Method == MethodGetPeers || m.Method == MethodAnnouncePeer) {
		dst = append(dst, "9:info_hash20:"...)
		dst = append(dst, m.Target[:]...)
	}
	dst = appendField(dst, "1:k", m.Key)
	dst = appendField(dst, "5:nodes", m.Nodes)
	if m.Port != 0 {
		dst = append(dst, "4:port"...)
		dst = appendInt(dst, int64(m.Port))
	}
	dst = appendField(dst, "4:salt", m.Salt)
	if m.HasSeq {
		dst = append(dst, "3:seq"...)
		dst = appendInt(dst, m.Seq)
	}
	dst = appendField(dst, "3:sig", m.Sig)
	if m.Kind == KindQuery && (m.Method == MethodFindNode || m.Method == MethodGet) {
		dst = append(dst, "6:target20:"...)
		dst = append(dst, m.Target[:]...)
	}
	dst = appendField(dst, "5:token", m.Token)
	if m.Value != nil {
		dst = append(dst, "1:v"...)
		dst = append(dst, m.Value...)
	}
	if m.Peers != nil {
		dst = append(dst, "6:valuesl"...)
		for _, p := range m.Peers {
			dst = append(dst, "6:"...)
			dst = appendCompactAddr(dst, p)
		}
		dst = append(dst, 'e')
	}
	if m.Want != 0 {
		dst = append(dst, "4:wantl"...)
		for i, name := range [...]string{"2:n4", "2:n6", "2:n0"} {
			if m.Want&(1<<i) != 0 {
				dst = append(dst, name...)
			}
		}
		dst = append(dst, 'e')
	}
	return append(dst, 'e')
}

func appendField(dst []byte, key string, value []byte) []byte {
	if value == nil {
		return dst
	}
	dst = append(dst, key...)
	return appendString(dst, value)
}
