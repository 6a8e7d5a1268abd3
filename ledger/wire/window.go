package wire

import (
	"bytes"
	"errors"
	"fmt"
)

// Window is the unacknowledged end of a sender's message stream:
//
//	version (1) ‖ first u64 ‖ count u16 ‖ before (32) ‖
//	checkpoint: size u64 ‖ root (32) ‖ signature (64) ‖
//	targets u8 ‖ skip u16 ‖ inline length u16 ‖
//	targets (20 each) ‖ inline
//
// The stream is the chunks that Targets names, in order, then Inline. Its
// first Skip bytes belong to messages before First; after them come exactly
// Count messages. Every chunk but the last has ChunkBytes bytes. An empty
// window, which only says that its sender is there, has no chunks, no skip
// and nothing inline.
//
// After it, zero bytes that fill the item up are reserved for private
// databases.
type Window struct {
	First   uint64
	Count   uint16     // last = First + Count - 1
	Before  Hash       // h of number First-1
	Newest  Checkpoint // zero Size: none verified yet
	Targets []Target   // at most WindowTargetsMax
	Skip    uint16
	Inline  []byte
}

const (
	windowHeaderBytes = 1 + 8 + 2 + 32 + checkpointBytes + 1 + 2 + 2
	boxOverhead       = 1 + 24 + 16 // version, nonce, secretbox
	stringPrefixMax   = len("996:")
	// WindowBytesMax is the longest window that fits an item.
	WindowBytesMax = ItemBytesMax - stringPrefixMax - boxOverhead
)

// InlineRoom is how many inline bytes an outbox with so many targets has room
// for.
func InlineRoom(targets int) int {
	return max(0, WindowBytesMax-windowHeaderBytes-20*targets)
}

// Encode gives the window's bytes, at most WindowBytesMax.
func (w *Window) Encode() ([]byte, error) {
	if err := w.check(); err != nil {
		return nil, fmt.Errorf("write a window: %w", err)
	}
	b := make([]byte, 0, windowHeaderBytes+20*len(w.Targets)+len(w.Inline))
	b = append(b, Version)
	b = appendU64(b, w.First)
	b = appendU16(b, int(w.Count))
	b = append(b, w.Before[:]...)
	b = w.Newest.append(b)
	b = append(b, byte(len(w.Targets)))
	b = appendU16(b, int(w.Skip))
	b = appendU16(b, len(w.Inline))
	for _, t := range w.Targets {
		b = append(b, t[:]...)
	}
	return append(b, w.Inline...), nil
}

// ParseWindow reads a window; one that is padded is ErrNewer. Inline aliases b.
func ParseWindow(b []byte) (*Window, error) {
	w, err := parseWindow(b)
	if err != nil {
		return nil, fmt.Errorf("read a window: %w", err)
	}
	return w, nil
}

func parseWindow(b []byte) (*Window, error) {
	if len(b) > WindowBytesMax {
		return nil, fmt.Errorf("%d bytes where %d are allowed", len(b), WindowBytesMax)
	}
	var w Window
	c := cursor{b: b}
	c.version()
	w.First = c.u64()
	w.Count = uint16(c.u16())
	c.fixed(w.Before[:])
	w.Newest = c.checkpoint()
	targets := c.u8()
	w.Skip = uint16(c.u16())
	inline := c.u16()
	if targets > WindowTargetsMax {
		c.fail("%d targets where %d are allowed", targets, WindowTargetsMax)
	}
	for range targets {
		w.Targets = append(w.Targets, Target{})
		c.fixed(w.Targets[len(w.Targets)-1][:])
	}
	w.Inline = c.take(inline)
	if len(c.b) > 0 && len(bytes.TrimLeft(c.b, "\x00")) == 0 {
		c.fail("padding, of a private database: %w", ErrNewer)
	}
	if err := c.end(); err != nil {
		return nil, err
	}
	if err := w.check(); err != nil {
		return nil, err
	}
	return &w, nil
}

func (w *Window) check() error {
	if len(w.Targets) > WindowTargetsMax {
		return fmt.Errorf("%d targets where %d are allowed", len(w.Targets), WindowTargetsMax)
	}
	if room := InlineRoom(len(w.Targets)); len(w.Inline) > room {
		return fmt.Errorf("%d inline bytes where there is room for %d", len(w.Inline), room)
	}
	if w.First == 0 {
		return errors.New("numbers begin at 1")
	}
	if err := checkInt("the last number", w.First+uint64(w.Count)); err != nil {
		return err
	}
	if w.First == 1 && w.Before != (Hash{}) {
		return errors.New("a chain before number 1")
	}
	if err := w.Newest.check(); err != nil {
		return err
	}
	if w.Count == 0 {
		if len(w.Targets) != 0 || w.Skip != 0 || len(w.Inline) != 0 {
			return errors.New("an empty window with something in it")
		}
		return nil
	}
	if len(w.Targets) > 0 && w.Skip >= ChunkBytes {
		return fmt.Errorf("skip %d passes over a whole chunk", w.Skip)
	}
	room := len(w.Targets)*ChunkBytes + len(w.Inline)
	if least := int(w.Skip) + int(w.Count)*(messageOverhead+1); least > room {
		return fmt.Errorf("%d messages cannot lie in %d bytes", w.Count, room)
	}
	return nil
}
