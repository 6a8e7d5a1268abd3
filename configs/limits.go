package configs

import (
	"fmt"
	"strings"
)

// units are what may stand behind a number of bytes.
const units = "kMGT"

// ParseBytes reads a number of bytes: digits, and k, M, G or T behind them for
// thousands, millions and so on. "" and "0" are no limit.
func ParseBytes(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	digits, unit := text, int64(1)
	if i := strings.IndexByte(units, text[len(text)-1]); i >= 0 {
		digits = text[:len(text)-1]
		for range i + 1 {
			unit *= 1000
		}
	}
	n := int64(0)
	if digits == "" || len(digits) > 6 && unit > 1 || len(digits) > 15 || strings.Trim(digits, "0123456789") != "" {
		return 0, fmt.Errorf("%q is not a number of bytes like 500M or 2G", text)
	}
	for _, d := range digits {
		n = 10*n + int64(d-'0')
	}
	return n * unit, nil
}

// Traffic is how much may go through the network in a day or a calendar month, up
// and down together; no Bytes: any amount.
type Traffic struct {
	Bytes int64
	Month bool // else a day
}

// ParseTraffic reads bytes a day or a month, like 500M/day or 20G/month.
func ParseTraffic(text string) (Traffic, error) {
	if text == "" || text == "0" {
		return Traffic{}, nil
	}
	amount, per, _ := strings.Cut(text, "/")
	n, err := ParseBytes(amount)
	if err != nil || amount == "" || per != "day" && per != "month" {
		return Traffic{}, fmt.Errorf("%q is not so much a day or a month like 500M/day or 20G/month", text)
	}
	return Traffic{Bytes: n, Month: per == "month"}, nil
}
