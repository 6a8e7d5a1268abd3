package qr

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // image.Decode reads them
	_ "image/png"
)

// Limits of a picture, so that none takes a machine's memory or an hour.
const (
	FileBytesMax   = 32 << 20  // of its file
	PixelsMax      = 64 << 20  // width times height
	sideMax        = 30_000    // pixels
	openedBytesMax = 384 << 20 // of memory that opening it takes
)

// ErrPicture: it is no picture that can be read, or a larger one than is read.
var ErrPicture = errors.New("this picture cannot be read")

func unreadable(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrPicture, fmt.Sprintf(format, args...))
}

// open opens a PNG or a JPEG picture within the limits.
func open(b []byte) (image.Image, error) {
	switch {
	case len(b) == 0:
		return nil, unreadable("the file is empty")
	case len(b) > FileBytesMax:
		return nil, unreadable("the file has more than %d MiB", FileBytesMax>>20)
	}
	if other := otherFormat(b); other != "" {
		return nil, unreadable("it is %s; PNG and JPEG can be read. Save it as JPEG, or make a screenshot of it", other)
	}
	c, format, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, unreadable("it is neither a PNG nor a JPEG file, or is damaged (%v)", err)
	}
	if c.Width < 1 || c.Height < 1 {
		return nil, unreadable("it has no pixels")
	}
	if c.Width > sideMax || c.Height > sideMax || c.Width*c.Height > PixelsMax {
		return nil, unreadable("it has %d x %d pixels; make a smaller one, or cut the code out", c.Width, c.Height)
	}
	if need := int64(c.Width) * int64(c.Height) * pixelBytes(c.ColorModel, format, b); need > openedBytesMax {
		return nil, unreadable("opening its %d x %d pixels would take %d MiB of memory; make a smaller one, or cut the code out", c.Width, c.Height, need>>20)
	}
	m, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, unreadable("the file is damaged (%v)", err)
	}
	return m, nil
}

// pixelBytes is how much memory a pixel takes at most while a picture is opened.
func pixelBytes(m color.Model, format string, b []byte) int64 {
	if format == "jpeg" {
		size := int64(3) // luma and two of colour, each as large as it
		if m == color.CMYKModel {
			size = 4
		}
		if progressive(b) {
			size *= 5 // its coefficients are kept besides, four bytes each
		}
		return size
	}
	switch m {
	case color.GrayModel:
		return 1
	case color.Gray16Model:
		return 2
	case color.RGBAModel, color.NRGBAModel:
		return 4
	case color.RGBA64Model, color.NRGBA64Model:
		return 8
	}
	if _, ok := m.(color.Palette); ok {
		return 1
	}
	return 8
}

// progressive says whether a JPEG file is one, by its frame header: it is taken
// for one when that is not found.
func progressive(b []byte) bool {
	for i := 2; i+4 <= len(b); {
		if b[i] != 0xff {
			return true
		}
		switch kind := b[i+1]; {
		case kind == 0xff: // a fill byte
			i++
			continue
		case kind == 0xc0 || kind == 0xc1:
			return false
		case kind == 0xc2:
			return true
		}
		i += 2 + int(b[i+2])<<8 + int(b[i+3])
	}
	return true
}

// otherFormat names what people have that is not read; "": it is something else.
func otherFormat(b []byte) string {
	has := func(at int, what string) bool { return len(b) >= at+len(what) && string(b[at:at+len(what)]) == what }
	switch {
	case has(4, "ftyphei"), has(4, "ftyphev"), has(4, "ftypmif1"), has(4, "ftypmsf1"):
		return "a HEIC picture, as iPhones make them"
	case has(4, "ftypavif"):
		return "an AVIF picture"
	case has(0, "RIFF") && has(8, "WEBP"):
		return "a WebP picture"
	case has(0, "GIF8"):
		return "a GIF picture"
	case has(0, "%PDF"):
		return "a PDF file"
	case has(0, "<svg"), has(0, "<?xml"):
		return "a drawing (SVG)"
	}
	return ""
}
