package wire

import "strconv"

// Canonical bencode (BEP 3, tightened), as every dict of weir is written:
//
//	integer  i<decimal>e     no leading zero, no -0, magnitude at most IntMax
//	string   <length>:<bytes>  length without leading zero
//	list     l<values>e
//	dict     d<string><value>...e  keys sorted as bytes, each once
//
// at most DepthMax lists and dicts deep, and with nothing after the value. So
// a value has one encoding, and bytes decode in one way or not at all.

// CheckBencode says whether v is exactly one canonical value.
func CheckBencode(v []byte) error {
	r := reader{b: v}
	r.raw()
	return r.end()
}

// writer puts canonical bencode together; its callers write keys in their
// order.
type writer struct{ b []byte }

func (w *writer) dict() { w.b = append(w.b, 'd') }
func (w *writer) list() { w.b = append(w.b, 'l') }
func (w *writer) end()  { w.b = append(w.b, 'e') }

func (w *writer) int(n int64) {
	w.b = append(w.b, 'i')
	w.b = strconv.AppendInt(w.b, n, 10)
	w.b = append(w.b, 'e')
}

func (w *writer) bytes(b []byte) {
	w.b = strconv.AppendInt(w.b, int64(len(b)), 10)
	w.b = append(w.b, ':')
	w.b = append(w.b, b...)
}

func (w *writer) text(s string)                   { w.bytes([]byte(s)) }
func (w *writer) raw(b []byte)                    { w.b = append(w.b, b...) }
func (w *writer) version()                        { w.keyInt("V", Version) }
func (w *writer) keyInt(key string, n int64)      { w.text(key); w.int(n) }
func (w *writer) keyBytes(key string, b []byte)   { w.text(key); w.bytes(b) }
func (w *writer) keyText(key string, text string) { w.text(key); w.text(text) }
