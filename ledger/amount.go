package ledger

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"weir/ledger/wire"
)

// ErrAmount is wrapped by every error about an amount that does not read.
var ErrAmount = errors.New("not an amount")

// amountCharsMax is more than any amount needs: a sign, 16 digits, a point.
const amountCharsMax = 64

// ParseAmount reads a decimal amount as minor units: an optional sign, digits,
// and where scale allows it a point and at most scale digits. "12", "12.5" and
// "12.50" are 1250 at scale 2. A single comma is taken for the point unless three
// digits follow it, when it may as well divide thousands. Nothing is rounded or
// guessed at. Amounts are within ±wire.IntMax.
func ParseAmount(text string, scale int) (int64, error) {
	minor, err := parseAmount(strings.TrimSpace(text), scale)
	if err != nil {
		if len(text) > amountCharsMax {
			text = text[:amountCharsMax] + "…"
		}
		return 0, fmt.Errorf("%q is %w", text, err)
	}
	return minor, nil
}

func parseAmount(text string, scale int) (int64, error) {
	switch {
	case scale < 0 || scale > wire.ScaleMax:
		return 0, fmt.Errorf("%w: a scale of %d", ErrAmount, scale)
	case text == "":
		return 0, fmt.Errorf("%w: nothing is there", ErrAmount)
	case len(text) > amountCharsMax:
		return 0, fmt.Errorf("%w: too long", ErrAmount)
	}
	digits, negative := strings.CutPrefix(text, "-")
	if !negative {
		digits, _ = strings.CutPrefix(text, "+")
	}
	if before, after, comma := strings.Cut(digits, ","); comma && !strings.ContainsAny(after, ",.") && !strings.Contains(before, ".") {
		if len(after) == 3 {
			return 0, fmt.Errorf("%w that is clear: the comma may divide thousands or decimals. Write a point before the decimals and nothing between thousands", ErrAmount)
		}
		digits = before + "." + after
	}
	whole, fraction, point := strings.Cut(digits, ".")
	switch {
	case strings.Contains(digits, ","):
		return 0, fmt.Errorf("%w: write a point before the decimals and nothing between thousands", ErrAmount)
	case !isDigits(whole) || point && !isDigits(fraction):
		return 0, fmt.Errorf("%w: write digits like 12 or 0.5", ErrAmount)
	case len(fraction) > scale && scale == 0:
		return 0, fmt.Errorf("%w: whole numbers only", ErrAmount)
	case len(fraction) > scale:
		return 0, fmt.Errorf("%w: at most %d decimal places", ErrAmount, scale)
	}
	var minor int64
	for _, c := range whole + fraction + strings.Repeat("0", scale-len(fraction)) {
		minor = minor*10 + int64(c-'0')
		if minor > wire.IntMax {
			return 0, fmt.Errorf("%w: the largest is %s", ErrAmount, FormatAmount(wire.IntMax, scale))
		}
	}
	if negative {
		return -minor, nil
	}
	return minor, nil
}

// FormatAmount writes minor units with exactly scale decimals; ParseAmount
// reads it back.
func FormatAmount(minor int64, scale int) string {
	scale = min(max(scale, 0), wire.ScaleMax)
	sign, magnitude := "", uint64(minor)
	if minor < 0 {
		sign, magnitude = "-", -magnitude
	}
	digits := strconv.FormatUint(magnitude, 10)
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale+1-len(digits)) + digits
	}
	if scale == 0 {
		return sign + digits
	}
	point := len(digits) - scale
	return sign + digits[:point] + "." + digits[point:]
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
