package ledger

import (
	"errors"
	"math"
	"strings"
	"testing"

	"weir/ledger/wire"
)

func TestAmountsReadAndWriteAsDecimals(t *testing.T) {
	for _, c := range []struct {
		text  string
		scale int
		minor int64
		out   string // "" means text
	}{
		{"0", 0, 0, ""},
		{"12", 0, 12, ""},
		{"-12", 0, -12, ""},
		{"+12", 0, 12, "12"},
		{"0.00", 2, 0, ""},
		{"0.05", 2, 5, ""},
		{"-0.05", 2, -5, ""},
		{"-0", 2, 0, "0.00"},
		{"12", 2, 1200, "12.00"},
		{"12.5", 2, 1250, "12.50"},
		{"12.50", 2, 1250, ""},
		{"-100.00", 2, -10000, ""},
		{" 1.00\n", 2, 100, "1.00"},
		{"1,50", 2, 150, "1.50"},
		{"-0,5", 2, -50, "-0.50"},
		{"1,5000", 4, 15000, "1.5000"},
		{"007", 1, 70, "7.0"},
		{"0.000000001", 9, 1, ""},
		{"9007199254740991", 0, wire.IntMax, ""},
		{"-90071992547409.91", 2, -wire.IntMax, ""},
	} {
		got, err := ParseAmount(c.text, c.scale)
		if err != nil || got != c.minor {
			t.Errorf("%q at scale %d: %d, %v, not %d", c.text, c.scale, got, err, c.minor)
		}
		want := c.out
		if want == "" {
			want = c.text
		}
		if got := FormatAmount(c.minor, c.scale); got != want {
			t.Errorf("%d at scale %d: %q, not %q", c.minor, c.scale, got, want)
		}
	}
}

func TestWhatIsNotAnAmountIsNotGuessedAt(t *testing.T) {
	for _, c := range []struct {
		text  string
		scale int
		says  string
	}{
		{"", 2, "nothing is there"},
		{"  ", 2, "nothing is there"},
		{"-", 2, "write digits"},
		{".", 2, "write digits"},
		{".5", 2, "write digits"},
		{"5.", 2, "write digits"},
		{"--5", 2, "write digits"},
		{"+-5", 2, "write digits"},
		{"1e3", 2, "write digits"},
		{"0x10", 2, "write digits"},
		{"1.2.3", 2, "write digits"},
		{"1 000", 2, "write digits"},
		{"٣", 2, "write digits"},
		{"5 HRS", 2, "write digits"},
		{"1,500", 3, "may divide thousands or decimals"},
		{"1,000", 2, "may divide thousands or decimals"},
		{"1,000,000", 2, "write a point"},
		{"1.000,50", 2, "write a point"},
		{"1,000.50", 2, "write a point"},
		{"1,", 2, "write digits"},
		{",5", 2, "write digits"},
		{"1,5", 0, "whole numbers only"},
		{"1,000.00", 2, "write a point"},
		{"1.505", 2, "at most 2 decimal places"},
		{"1.500", 2, "at most 2 decimal places"},
		{"1.0", 0, "whole numbers only"},
		{"9007199254740992", 0, "the largest is 9007199254740991"},
		{"90071992547409.92", 2, "the largest is 90071992547409.91"},
		{"99999999999999999999999999", 2, "the largest"},
		{strings.Repeat("0", 65), 0, "too long"},
		{"1", -1, "scale"},
		{"1", 10, "scale"},
	} {
		got, err := ParseAmount(c.text, c.scale)
		if !errors.Is(err, ErrAmount) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q at scale %d: %d, %v, not %q", c.text, c.scale, got, err, c.says)
		}
	}
}

func TestEveryIntegerCanBeWritten(t *testing.T) {
	for _, c := range []struct {
		minor int64
		scale int
		want  string
	}{
		{math.MaxInt64, 2, "92233720368547758.07"},
		{math.MinInt64, 2, "-92233720368547758.08"},
		{5, -3, "5"},
		{5, 1000, "0.000000005"},
	} {
		if got := FormatAmount(c.minor, c.scale); got != c.want {
			t.Errorf("%d at scale %d: %q, not %q", c.minor, c.scale, got, c.want)
		}
	}
}

func FuzzAmount(f *testing.F) {
	for _, text := range []string{"0", "-12.50", "+1", "9007199254740991", "1,5", ".5", "1e3"} {
		f.Add(text, 2)
	}
	f.Fuzz(func(t *testing.T, text string, scale int) {
		minor, err := ParseAmount(text, scale)
		if err != nil {
			if !errors.Is(err, ErrAmount) {
				t.Fatal(err)
			}
			return
		}
		if minor > wire.IntMax || minor < -wire.IntMax {
			t.Fatalf("%q is %d", text, minor)
		}
		out := FormatAmount(minor, scale)
		if again, err := ParseAmount(out, scale); err != nil || again != minor {
			t.Fatalf("%q is %d, written %q, read %d, %v", text, minor, out, again, err)
		}
	})
}
