package main

import (
	"fmt"
	"strings"

	"rsc.io/qr"

	"weir/keys/keyfile"
)

// showQR draws a link for a phone's camera, dark on light, two modules a character
// cell, where the program's output is a terminal, and writes it as a PNG when a file
// is named. Elsewhere nothing could be seen in it: it needs the terminal's colours.
func (p *program) showQR(o options, link, png string) error {
	draw := !o.json && p.screen()
	if png == "" && !draw {
		return nil
	}
	code, err := qr.Encode(link, qr.M)
	if err != nil {
		return fmt.Errorf("draw the QR code: %w", err)
	}
	if png != "" {
		code.Scale = 8
		if err := keyfile.WriteAtomic(png, code.PNG()); err != nil {
			return fmt.Errorf("draw the QR code: %w", err)
		}
	}
	if draw {
		return p.out.raw(blocks(code))
	}
	return nil
}

// blocks draws a code with half blocks in explicit black on white, with the
// quiet zone of four modules that readers need.
func blocks(code *qr.Code) string {
	const quiet = 4
	var b strings.Builder
	for y := -quiet; y < code.Size+quiet; y += 2 {
		b.WriteString("\x1b[30;107m")
		for x := -quiet; x < code.Size+quiet; x++ {
			top, bottom := code.Black(x, y), code.Black(x, y+1)
			switch {
			case top && bottom:
				b.WriteString("█")
			case top:
				b.WriteString("▀")
			case bottom:
				b.WriteString("▄")
			default:
				b.WriteString(" ")
			}
		}
		b.WriteString("\x1b[0m\n")
	}
	return b.String()
}
