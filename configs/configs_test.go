package configs

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestTheShippedFileHasEveryKeyAndSaysNothing(t *testing.T) {
	var keys []string
	for _, m := range regexp.MustCompile(`(?m)^# ([a-z_]+) = `).FindAllStringSubmatch(Default, -1) {
		keys = append(keys, m[1])
	}
	slices.Sort(keys)
	if !slices.Equal(keys, Keys()) {
		t.Errorf("weir.toml comments %v, the program knows %v", keys, Keys())
	}
	s, err := Parse(Default)
	if err != nil || len(s.Bootstrap) != 0 || s.Cycle != "" {
		t.Errorf("%+v, %v", s, err)
	}
	// With its comments taken away it must still read.
	open := regexp.MustCompile(`(?m)^# ([a-z_]+ = )`).ReplaceAllString(Default, "$1")
	if _, err := Parse(open); err != nil {
		t.Errorf("uncommented: %v", err)
	}
}

func TestWhatDoesNotReadIsRefusedWithTheReason(t *testing.T) {
	for text, want := range map[string]string{
		`bootsrap = ["a:1"]`:     `did you mean "bootstrap"`,
		`uplaod_rate = "1"`:      `did you mean "upload_rate"`,
		`cycle = "often"`:        "not a length of time",
		`cycle = "-3s"`:          "not a length of time",
		`cycle = "1ms"`:          "is less than 50ms",
		`follow = "199ms"`:       "is less than 200ms",
		`upload_rate = "fast"`:   "bytes a second",
		`upload_rate = 5`:        "",
		`public = "yes"`:         "",
		`disk_limit = "much"`:    "number of bytes",
		`traffic_limit = "1G"`:   "a day or a month",
		`node_rate = 0`:          "not between 1 and 1000",
		`node_burst = 1001`:      "not between 1 and 1000",
		"bootstrap = [":          "line 1",
		"[network]\nlisten = ''": "no key",
	} {
		_, err := Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestRatesRead(t *testing.T) {
	for text, want := range map[string]int64{"": 0, "0": 0, "12": 12, "500k": 500_000, "2M": 2_000_000} {
		if got, err := ParseRate(text); err != nil || got != want {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"k", "-1", "1.5M", "99999999999999", "1 k", "1MB"} {
		if got, err := ParseRate(text); err == nil {
			t.Errorf("%q: %d", text, got)
		}
	}
}

func TestAmountsOfBytesRead(t *testing.T) {
	for text, want := range map[string]int64{"": 0, "0": 0, "12": 12, "500k": 500_000, "2G": 2_000_000_000, "3T": 3_000_000_000_000} {
		if got, err := ParseBytes(text); err != nil || got != want {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"k", "-1", "1.5G", "9999999999999999", "1 G", "1GB", "9999999T"} {
		if got, err := ParseBytes(text); err == nil {
			t.Errorf("%q: %d", text, got)
		}
	}
	for text, want := range map[string]Traffic{"": {}, "0": {}, "500M/day": {Bytes: 500_000_000}, "20G/month": {20_000_000_000, true}} {
		if got, err := ParseTraffic(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"1G", "1G/week", "/day", "G/day", "1G/", "1G/day/day"} {
		if got, err := ParseTraffic(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func FuzzParseTraffic(f *testing.F) {
	f.Add("20G/month")
	f.Fuzz(func(t *testing.T, text string) {
		if v, err := ParseTraffic(text); err == nil && v.Bytes < 0 {
			t.Error(v)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(Default)
	f.Add(`bootstrap = ["a:1"]`)
	f.Fuzz(func(t *testing.T, text string) { Parse(text) })
}
