package wire

import (
	"errors"
	"fmt"
)

// Body is what an entry's body hash is over: salt (16) ‖ change. The salt
// keeps the change from being guessed from the hash once the body is gone.
type Body struct {
	Salt   [16]byte
	Change []byte
}

const bodySaltBytes = 16

// Encode gives the body's bytes, at most BodyBytesMax if the change is one.
func (b Body) Encode() []byte { return append(b.Salt[:], b.Change...) }

// ParseBody reads a body; the change is not looked into and aliases b.
func ParseBody(b []byte) (Body, error) {
	switch {
	case len(b) <= bodySaltBytes:
		return Body{}, fmt.Errorf("read a body: %d bytes where %d are the least: %w", len(b), bodySaltBytes+1, ErrShort)
	case len(b) > BodyBytesMax:
		return Body{}, fmt.Errorf("read a body: %d bytes where %d are allowed", len(b), BodyBytesMax)
	}
	return Body{Salt: [16]byte(b), Change: b[bodySaltBytes:]}, nil
}

// BodyState is how a frame holds its body.
type BodyState uint8

const (
	BodyPlain   BodyState = 0
	BodySealed  BodyState = 1 // of an encrypted database; without read key reserved: private ones
	BodyBlanked BodyState = 2 // zeroed by a sweep, or (length 0) never published
)

// ReadKeyNumber is the number of an encrypted database's one read key.
const ReadKeyNumber = 1

// Frame is one record of the stream, the bytes that are the published
// database:
//
//	version (1) ‖ state u8 ‖ read key u16 ‖ entry length u32 ‖
//	body length u32 ‖ entry ‖ body
//
// The first frame of a stream holds the charter's bytes in Entry and has an
// empty, blanked body. So have the frames of refused changes. With a read key
// Entry, and Body unless it is blanked, are boxes (sealedframe.go), 40 bytes
// longer than what is in them.
type Frame struct {
	State   BodyState
	ReadKey uint16 // 0: none, or ReadKeyNumber
	Entry   []byte
	Body    []byte
}

const frameHeaderBytes = 1 + 1 + 2 + 4 + 4

// AppendFrame appends f to dst. Entry and Body came from encoders or decoders
// of this package; a frame that ParseFrame would refuse is a mistake of the
// caller's and panics.
func AppendFrame(dst []byte, f Frame) []byte {
	if err := f.check(len(f.Entry), len(f.Body)); err != nil {
		panic("wire: append a frame: " + err.Error())
	}
	dst = append(dst, Version, byte(f.State))
	dst = appendU16(dst, int(f.ReadKey))
	dst = appendU32(dst, uint32(len(f.Entry)))
	dst = appendU32(dst, uint32(len(f.Body)))
	dst = append(dst, f.Entry...)
	return append(dst, f.Body...)
}

// ParseFrame reads the frame at the start of b and its length; ErrShort when b
// ends before the frame does, ErrNewer as soon as version, state or read key
// are of a later weir. Entry and body are not looked into, except that a
// blanked body is all zeros: whether the database is one that has sealed frames
// is for the caller to check, and OpenFrame opens them. The slices alias b.
func ParseFrame(b []byte) (f Frame, n int, err error) {
	c := cursor{b: b}
	c.version()
	if f.State = BodyState(c.u8()); c.err == nil && f.State > BodyBlanked {
		c.fail("body state %d: %w", f.State, ErrNewer)
	}
	if f.ReadKey = uint16(c.u16()); c.err == nil {
		c.err = f.checkForm()
	}
	entry, body := c.u32(), c.u32()
	if c.err == nil {
		c.err = f.check(int(entry), int(body))
	}
	if c.err == nil {
		f.Entry = c.take(int(entry))
		f.Body = c.take(int(body))
	}
	if c.err == nil {
		c.err = f.checkBlank()
	}
	if c.err != nil {
		return Frame{}, 0, fmt.Errorf("read a frame: %w", c.err)
	}
	return f, frameHeaderBytes + int(entry) + int(body), nil
}

// checkForm says whether this weir knows how the frame holds its body.
func (f *Frame) checkForm() error {
	switch {
	case f.State > BodyBlanked:
		return fmt.Errorf("body state %d: %w", f.State, ErrNewer)
	case f.ReadKey > ReadKeyNumber:
		return fmt.Errorf("read key %d: %w", f.ReadKey, ErrNewer)
	case f.State == BodySealed && f.ReadKey == 0:
		return fmt.Errorf("a sealed body without read key: %w", ErrNewer)
	case f.State == BodyPlain && f.ReadKey != 0:
		return errors.New("a read key, and yet a plain body")
	}
	return nil
}

// boxes is how many bytes longer entry and body are for being sealed.
func (f *Frame) boxes() int {
	if f.ReadKey == 0 {
		return 0
	}
	return frameBoxBytes
}

// check judges a frame's header, before its bytes are here.
func (f *Frame) check(entry, body int) error {
	if err := f.checkForm(); err != nil {
		return err
	}
	box := f.boxes()
	entryMin, entryMax := 1+box, EntryBytesMax+box
	bodyMin, bodyMax := bodySaltBytes+1+box, BodyBytesMax+box
	switch {
	case entry < entryMin || entry > entryMax:
		return fmt.Errorf("an entry of %d bytes where %d to %d are allowed", entry, entryMin, entryMax)
	case f.State == BodyBlanked && body == 0:
		return nil
	case body < bodyMin || body > bodyMax:
		return fmt.Errorf("a body of %d bytes where %d to %d are allowed", body, bodyMin, bodyMax)
	}
	return nil
}

func (f *Frame) checkBlank() error {
	if f.State != BodyBlanked {
		return nil
	}
	for _, x := range f.Body {
		if x != 0 {
			return errors.New("blanked, and yet with a body")
		}
	}
	return nil
}
