package wire

import (
	"bytes"
	"errors"
	"fmt"
)

// Head is the manager's item: a mutable BEP-44 item under its publish key
// with the database's id as salt.
//
//	d1:Vi1e
//	1:c  i<cycle>e
//	1:d  <chunk targets, 20 bytes each>
//	1:h  <older infohashes, 20 bytes each>   absent: none
//	2:ih 20:<newest infohash>                absent: none yet
//	1:l  i<log size>e
//	1:n  i<stream length>e
//	1:r  32:<root>
//	1:s  64:<checkpoint signature>
//	1:t  i<time, Unix ms>e
//	1:w  <cosignatures, 76 bytes each>       absent: none; reserved
//	e
//
// With ih it is an updating torrent of BEP 46.
type Head struct {
	Newest     [20]byte   // infohash; zero: none yet
	Older      [][20]byte // previous, and last of an hour, a day, a week ago; at most 4
	Cycle      uint64
	Length     uint64 // stream bytes
	Checkpoint Checkpoint
	Time       int64    // Unix ms
	Chunks     []Target // the stream's last chunks, at most HeadChunksMax
	Witness    []byte   // reserved: packed cosignatures, 3 x 76 bytes at most
}

// Encode gives the head's bencoded value, at most ItemBytesMax.
func (h *Head) Encode() ([]byte, error) {
	if err := h.check(); err != nil {
		return nil, fmt.Errorf("write a head: %w", err)
	}
	return h.bytes(), nil
}

// ParseHead reads a head. Signatures are not checked: the item's is the
// lookup's affair, the checkpoint's Checkpoint.Verify.
func ParseHead(v []byte) (*Head, error) {
	h, err := parseHead(v)
	if err != nil {
		return nil, fmt.Errorf("read a head: %w", err)
	}
	return h, nil
}

func parseHead(v []byte) (*Head, error) {
	if len(v) > ItemBytesMax {
		return nil, fmt.Errorf("%d bytes where an item has %d at most", len(v), ItemBytesMax)
	}
	var h Head
	r := reader{b: v}
	r.open('d')
	r.version()
	r.key("c")
	h.Cycle = uint64(r.int(0, IntMax))
	r.key("d")
	for _, t := range r.packed(0, HeadChunksMax) {
		h.Chunks = append(h.Chunks, t)
	}
	if r.optional("h") {
		h.Older = r.packed(1, HeadOlderMax)
	}
	if r.optional("ih") {
		r.fixed(h.Newest[:])
		if h.Newest == [20]byte{} {
			r.fail("zero")
		}
	}
	r.key("l")
	h.Checkpoint.Size = uint64(r.int(1, IntMax))
	r.key("n")
	h.Length = uint64(r.int(1, IntMax))
	r.key("r")
	r.fixed(h.Checkpoint.Root[:])
	r.key("s")
	r.fixed(h.Checkpoint.Sig[:])
	r.key("t")
	h.Time = r.int(0, IntMax)
	if r.optional("w") {
		h.Witness = r.bytes(WitnessBytes, WitnessBytes*WitnessesMax)
	}
	r.close()
	if err := r.end(); err != nil {
		return nil, err
	}
	if err := h.check(); err != nil {
		return nil, err
	}
	if !bytes.Equal(h.bytes(), v) {
		return nil, errNotCanonical
	}
	return &h, nil
}

// packed reads a string of least to most hashes of 20 bytes.
func (r *reader) packed(least, most int) [][20]byte {
	b := r.bytes(20*least, 20*most)
	if len(b)%20 != 0 {
		r.fail("%d bytes are no whole number of hashes", len(b))
		return nil
	}
	var hashes [][20]byte
	for ; len(b) > 0; b = b[20:] {
		hashes = append(hashes, [20]byte(b))
	}
	return hashes
}

func (h *Head) bytes() []byte {
	w := writer{make([]byte, 0, ItemBytesMax)}
	w.dict()
	w.version()
	w.keyInt("c", int64(h.Cycle))
	var packed []byte
	for _, t := range h.Chunks {
		packed = append(packed, t[:]...)
	}
	w.keyBytes("d", packed)
	if len(h.Older) > 0 {
		packed = nil
		for _, t := range h.Older {
			packed = append(packed, t[:]...)
		}
		w.keyBytes("h", packed)
	}
	if h.Newest != [20]byte{} {
		w.keyBytes("ih", h.Newest[:])
	}
	w.keyInt("l", int64(h.Checkpoint.Size))
	w.keyInt("n", int64(h.Length))
	w.keyBytes("r", h.Checkpoint.Root[:])
	w.keyBytes("s", h.Checkpoint.Sig[:])
	w.keyInt("t", h.Time)
	if len(h.Witness) > 0 {
		w.keyBytes("w", h.Witness)
	}
	w.end()
	return w.b
}

func (h *Head) check() error {
	if err := h.Checkpoint.check(); err != nil {
		return err
	}
	if err := checkTime("time", h.Time); err != nil {
		return err
	}
	if err := checkInt("cycle", h.Cycle); err != nil {
		return err
	}
	if err := checkInt("the stream's length", h.Length); err != nil {
		return err
	}
	for _, ih := range h.Older {
		if ih == [20]byte{} {
			return errors.New("an infohash of zero")
		}
	}
	switch {
	case h.Checkpoint.Size == 0:
		return errors.New("no checkpoint")
	case h.Length == 0:
		return errors.New("the stream is empty")
	case len(h.Older) > HeadOlderMax:
		return fmt.Errorf("%d older infohashes where %d are allowed", len(h.Older), HeadOlderMax)
	case len(h.Chunks) > HeadChunksMax:
		return fmt.Errorf("%d chunks where %d are allowed", len(h.Chunks), HeadChunksMax)
	case uint64(len(h.Chunks)) > (h.Length+ChunkBytes-1)/ChunkBytes:
		return fmt.Errorf("%d chunks of a stream of %d bytes", len(h.Chunks), h.Length)
	case len(h.Witness)%WitnessBytes != 0 || len(h.Witness) > WitnessBytes*WitnessesMax:
		return fmt.Errorf("%d bytes of cosignatures", len(h.Witness))
	}
	return nil
}

// ChunkValue is the bencoded value of a head's chunk: a byte string of stream
// bytes as they are. Chunk i of a stream holds its bytes from i*ChunkBytes
// to (i+1)*ChunkBytes; the last may be shorter.
func ChunkValue(stream []byte) []byte { return String(stream) }

// ParseChunkValue reads a chunk of 1 to ChunkBytes bytes. The result aliases v.
func ParseChunkValue(v []byte) ([]byte, error) {
	b, err := ParseString(v)
	if err != nil {
		return nil, fmt.Errorf("read a chunk: %w", err)
	}
	if len(b) == 0 || len(b) > ChunkBytes {
		return nil, fmt.Errorf("read a chunk: %d bytes where 1 to %d are allowed", len(b), ChunkBytes)
	}
	return b, nil
}
