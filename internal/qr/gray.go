package qr

import (
	"image"
	"image/color"
)

// gray is a picture in shades of gray: 0 black, 255 white, row by row.
type gray struct {
	pix           []byte
	width, height int
}

// shades gives the gray of a picture, each pixel the mean of a square of several
// where it is larger than wanted, on white where one can see through, and with a
// white margin, which codes need around them.
func shades(m image.Image, sideMost int) gray {
	r := m.Bounds()
	step := max(1, (max(r.Dx(), r.Dy())+sideMost-1)/sideMost)
	w, h := (r.Dx()+step-1)/step, (r.Dy()+step-1)/step
	margin := max(4, max(w, h)/25)
	g := gray{width: w + 2*margin, height: h + 2*margin}
	g.pix = make([]byte, g.width*g.height)
	for i := range g.pix {
		g.pix[i] = 255
	}
	luma := lumaOf(m)
	for y := range h {
		for x := range w {
			sum, n := 0, 0
			for dy := y * step; dy < min((y+1)*step, r.Dy()); dy++ {
				for dx := x * step; dx < min((x+1)*step, r.Dx()); dx++ {
					sum += int(luma(r.Min.X+dx, r.Min.Y+dy))
					n++
				}
			}
			g.pix[(y+margin)*g.width+x+margin] = byte(sum / n)
		}
	}
	return g
}

// lumaOf gives a function for the gray of a pixel, fast for the pictures that
// cameras and screens make.
func lumaOf(m image.Image) func(x, y int) byte {
	switch m := m.(type) {
	case *image.YCbCr:
		return func(x, y int) byte { return m.Y[m.YOffset(x, y)] }
	case *image.Gray:
		return func(x, y int) byte { return m.Pix[m.PixOffset(x, y)] }
	case *image.RGBA:
		return func(x, y int) byte {
			p := m.Pix[m.PixOffset(x, y):]
			return onWhite(uint32(p[0])*257, uint32(p[1])*257, uint32(p[2])*257, uint32(p[3])*257)
		}
	case *image.Paletted:
		table := [256]byte{}
		for i := range table {
			table[i] = 255
			if i < len(m.Palette) {
				table[i] = onWhite(m.Palette[i].RGBA())
			}
		}
		return func(x, y int) byte { return table[m.Pix[m.PixOffset(x, y)]] }
	case *image.NRGBA:
		return func(x, y int) byte {
			p := m.Pix[m.PixOffset(x, y):]
			return onWhite(color.NRGBA{R: p[0], G: p[1], B: p[2], A: p[3]}.RGBA())
		}
	}
	return func(x, y int) byte { return onWhite(m.At(x, y).RGBA()) }
}

// onWhite is the gray of a colour, premultiplied as image/color has them, before
// something white.
func onWhite(r, g, b, a uint32) byte {
	luma := (19595*r + 38470*g + 7471*b) >> 16
	return byte(min(luma+0xffff-min(a, 0xffff), 0xffff) >> 8)
}

// turned is the picture with dark and light changed about.
func (g gray) turned() gray {
	t := gray{pix: make([]byte, len(g.pix)), width: g.width, height: g.height}
	for i, v := range g.pix {
		t.pix[i] = 255 - v
	}
	return t
}
