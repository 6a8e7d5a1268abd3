package qr

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	rsc "rsc.io/qr"
)

// made is a picture that another encoder made (Debian's qrencode), and what it says.
func made(t testing.TB) (image.Image, string) {
	t.Helper()
	b, err := os.ReadFile("testdata/qrencode.png")
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("testdata/qrencode.txt")
	if err != nil {
		t.Fatal(err)
	}
	return m, strings.TrimSpace(string(text))
}

// ours is what the program draws.
func ours(t testing.TB, link string) image.Image {
	t.Helper()
	code, err := rsc.Encode(link, rsc.M)
	if err != nil {
		t.Fatal(err)
	}
	code.Scale = 4
	m, err := png.Decode(bytes.NewReader(code.PNG()))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// photo is a picture taken of a code on a table: turned by an angle, seen from
// aside so that its far edge is shorter by skew, with a shadow across, noise and
// JPEG's own.
func photo(t testing.TB, code image.Image, degrees, skew, shadow float64) []byte {
	t.Helper()
	const w, h = 900, 800
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	random := rand.New(rand.NewChaCha8([32]byte{byte(degrees)}))
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	b := code.Bounds()
	side := 560.0 // of the code in the picture
	for y := range h {
		for x := range w {
			// Back to the code: the middle, the turn, the perspective.
			u, v := float64(x)-w/2, float64(y)-h/2
			u, v = u*cos+v*sin, -u*sin+v*cos
			k := 1 - skew*v/side
			cx, cy := (u/k/side+0.5)*float64(b.Dx()), (v/k/side+0.5)*float64(b.Dy())
			light := 200.0 // the table
			if cx >= 0 && cy >= 0 && cx < float64(b.Dx()) && cy < float64(b.Dy()) {
				light = 25
				if g, _, _, _ := code.At(b.Min.X+int(cx), b.Min.Y+int(cy)).RGBA(); g > 0x7fff {
					light = 235
				}
			}
			light *= 1 - shadow*float64(x)/w
			light += random.NormFloat64() * 6
			c := uint8(max(0, min(255, light)))
			m.Set(x, y, color.RGBA{c, uint8(float64(c) * 0.97), uint8(float64(c) * 0.9), 255})
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, &jpeg.Options{Quality: 75}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestCodesAreReadFromPhotos(t *testing.T) {
	theirs, want := made(t)
	for name, p := range map[string][3]float64{
		"straight":        {0, 0, 0},
		"turned a little": {17, 0, 0.2},
		"on its side":     {90, 0, 0.3},
		"upside down":     {184, 0.1, 0.3},
		"from aside":      {-12, 0.25, 0.2},
		"in a shadow":     {8, 0.1, 0.7},
	} {
		for encoder, code := range map[string]image.Image{"qrencode's": theirs, "ours": ours(t, want)} {
			got, err := Read(photo(t, code, p[0], p[1], p[2]))
			if err != nil || !slices.Equal(got, []string{want}) {
				t.Errorf("%s, %s: %q, %v", encoder, name, got, err)
			}
		}
	}
}

func encoded(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestCodesAreReadFromPictures(t *testing.T) {
	theirs, want := made(t)
	bare := image.NewGray(image.Rect(0, 0, theirs.Bounds().Dx()-24, theirs.Bounds().Dy()-24)) // without its white margin
	draw.Draw(bare, bare.Bounds(), theirs, image.Pt(12, 12), draw.Src)
	glass := image.NewNRGBA(theirs.Bounds()) // black on nothing
	turned := image.NewRGBA(theirs.Bounds()) // white on black
	for y := range theirs.Bounds().Dy() {
		for x := range theirs.Bounds().Dx() {
			turned.Set(x, y, color.White)
			if g, _, _, _ := theirs.At(x, y).RGBA(); g < 0x7fff {
				glass.Set(x, y, color.Black)
			} else {
				turned.Set(x, y, color.Black)
			}
		}
	}
	wide := image.NewGray16(image.Rect(0, 0, 3000, 2000))
	draw.Draw(wide, wide.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(wide, theirs.Bounds().Add(image.Pt(2500, 1500)), theirs, image.Point{}, draw.Src)
	for name, m := range map[string]image.Image{"as it is": theirs, "without a margin": bare, "on glass": glass, "white on black": turned, "small in a corner": wide} {
		got, err := Read(encoded(t, m))
		if err != nil || !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestSeveralCodesOfAPictureAreAllRead(t *testing.T) {
	want := []string{"WEIR:AAAA", "https://example.org/", "WEIR:BBBB"}
	m := image.NewGray(image.Rect(0, 0, 700, 300))
	draw.Draw(m, m.Bounds(), image.White, image.Point{}, draw.Src)
	for i, text := range want {
		code := ours(t, text)
		draw.Draw(m, code.Bounds().Add(image.Pt(20+i*220, 40)), code, image.Point{}, draw.Src)
	}
	got, err := Read(encoded(t, m))
	slices.Sort(got)
	slices.Sort(want)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestPicturesThatCannotBeReadSayWhy(t *testing.T) {
	theirs, _ := made(t)
	whole := encoded(t, theirs)
	header := func(w, h uint32, depth, kind byte) []byte { // of a PNG file, whose pixels never come
		b := bytes.Clone(whole[:33])
		copy(b[16:], []byte{byte(w >> 24), byte(w >> 16), byte(w >> 8), byte(w), byte(h >> 24), byte(h >> 16), byte(h >> 8), byte(h), depth, kind, 0, 0, 0})
		sum := crc(b[12:29])
		copy(b[29:], []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
		return b
	}
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"nothing":        {nil, "empty"},
		"text":           {[]byte("hello"), "neither a PNG nor a JPEG"},
		"HEIC":           {[]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"), "iPhones"},
		"WebP":           {[]byte("RIFF\x00\x00\x00\x00WEBPVP8 "), "WebP"},
		"half a picture": {whole[:len(whole)/2], "damaged"},
		"a large file":   {make([]byte, FileBytesMax+1), "more than 32 MiB"},
		"very wide":      {header(40_000, 10, 8, 0), "40000 x 10 pixels"},
		"very large":     {header(20_000, 20_000, 8, 0), "20000 x 20000 pixels"},
		"deep":           {header(8_000, 8_000, 16, 6), "488 MiB of memory"},
	} {
		if _, err := Read(c.b); !errors.Is(err, ErrPicture) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	blank := image.NewGray(image.Rect(0, 0, 300, 200))
	if _, err := Read(encoded(t, blank)); !errors.Is(err, ErrNone) {
		t.Errorf("a black picture: %v", err)
	}
	if _, err := Read(encoded(t, image.NewGray(image.Rect(0, 0, 1, 1)))); !errors.Is(err, ErrNone) {
		t.Errorf("one pixel: %v", err)
	}
}

func TestAProgressiveJPEGIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		b    string
		want bool
	}{
		"baseline":       {"\xff\xd8\xff\xe0\x00\x04AB\xff\xc0\x00\x0b", false},
		"progressive":    {"\xff\xd8\xff\xe0\x00\x04AB\xff\xc2\x00\x0b", true},
		"fill bytes":     {"\xff\xd8\xff\xff\xff\xc0\x00\x0b", false},
		"no frame":       {"\xff\xd8\xff\xe0\x00\x04AB", true},
		"nonsense":       {"\xff\xd8AB\xff\xc0\x00\x0b", true},
		"an empty field": {"\xff\xd8\xff\xe0\x00\x00\xff\xc0\x00\x00", true},
	} {
		if got := progressive([]byte(c.b)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// FuzzRead opens and looks at pictures that are small enough to be many.
func FuzzRead(f *testing.F) {
	theirs, want := made(f)
	f.Add(encoded(f, theirs))
	f.Add(photo(f, theirs, 10, 0, 0)[:2000])
	f.Add(encoded(f, ours(f, "WEIR:AA")))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, _, err := image.DecodeConfig(bytes.NewReader(b)); err == nil && c.Width*c.Height > 300*300 {
			b = b[:len(b)/2]
			if c.Width*c.Height > 4000*4000 {
				return
			}
		}
		got, err := Read(b)
		if (err == nil) != (len(got) > 0) || err != nil && !errors.Is(err, ErrPicture) && !errors.Is(err, ErrNone) {
			t.Fatalf("%q, %v", got, err)
		}
		for _, s := range got {
			if len(s) > textMax || strings.Contains(want, s) && s != want && len(s) > 100 {
				t.Fatalf("%q", s)
			}
		}
	})
}
