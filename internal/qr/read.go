package qr

import (
	"errors"
	"slices"
	"time"

	"github.com/makiuchi-d/gozxing"
	multi "github.com/makiuchi-d/gozxing/multi/qrcode"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// ErrNone: no code was found in the picture.
var ErrNone = errors.New("no QR code was found in this picture")

const (
	codesMax    = 64               // that one picture gives
	textMax     = 4096             // bytes of one; a QR code has less
	readTimeMax = 30 * time.Second // that looking may take
)

// sides are how large a picture is looked at, one after the other: in a large one
// noise hides a code, in a small one its own squares are lost.
var sides = [...]int{1000, 1600, 600, 2600, 350}

// sidesAlways is how many of them are looked at also when something was found: one
// look may miss one of several codes.
const sidesAlways = 2

// found is what was read so far.
type found struct{ texts []string }

func (r *found) add(texts []string) {
	for _, t := range texts {
		if len(t) <= textMax && len(r.texts) < codesMax && !slices.Contains(r.texts, t) {
			r.texts = append(r.texts, t)
		}
	}
}

// Read gives what the QR codes of a picture say, a PNG or a JPEG, each once, in no
// particular order. The error is ErrPicture or ErrNone.
func Read(b []byte) ([]string, error) {
	m, err := open(b)
	if err != nil {
		return nil, err
	}
	done := make(chan found, 1)
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		var r found
		defer func() { done <- r }()
		for i, side := range sides {
			select {
			case <-stop:
				return
			default:
			}
			if i >= sidesAlways && len(r.texts) > 0 {
				return
			}
			g := shades(m, side)
			if r.add(g.codes()); len(r.texts) == 0 {
				r.add(g.turned().codes())
			}
		}
	}()
	late := time.NewTimer(readTimeMax)
	defer late.Stop()
	select {
	case r := <-done:
		if len(r.texts) == 0 {
			return nil, ErrNone
		}
		return r.texts, nil
	case <-late.C:
		return nil, ErrNone
	}
}

// codes gives what the codes say that are found. The library was written for
// pictures of a camera: what it does with one that was made to break it is caught.
func (g gray) codes() (texts []string) {
	defer func() {
		if recover() != nil {
			texts = nil
		}
	}()
	source, err := gozxing.NewPlanarYUVLuminanceSource(g.pix, g.width, g.height, 0, 0, g.width, g.height, false)
	if err != nil {
		return nil
	}
	hints := map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true}
	for _, binarizer := range []gozxing.Binarizer{gozxing.NewHybridBinarizer(source), gozxing.NewGlobalHistgramBinarizer(source)} {
		bits, err := gozxing.NewBinaryBitmap(binarizer)
		if err != nil {
			continue
		}
		if several, err := multi.NewQRCodeMultiReader().DecodeMultiple(bits, hints); err == nil {
			for _, f := range several {
				texts = append(texts, f.GetText())
			}
		}
		if one, err := qrcode.NewQRCodeReader().Decode(bits, hints); err == nil {
			texts = append(texts, one.GetText())
		}
		pure := map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true}
		if len(texts) == 0 {
			if one, err := qrcode.NewQRCodeReader().Decode(bits, pure); err == nil {
				texts = append(texts, one.GetText())
			}
		}
	}
	return texts
}
