package wire

import (
	"errors"
	"strings"
	"testing"

	"weir/keys"
)

func TestACharterIsRefusedWhenAFieldIsOutsideItsLimits(t *testing.T) {
	for name, spoil := range map[string]func(c *Charter){
		"catalogue":              func(c *Charter) { c.Kind = kindCatalogue },
		"no kind":                func(c *Charter) { c.Kind = "" },
		"no name":                func(c *Charter) { c.Name = "" },
		"name too long":          func(c *Charter) { c.Name = strings.Repeat("n", NameBytesMax+1) },
		"no manager's key":       func(c *Charter) { c.Manager = keys.Public{} },
		"no log key":             func(c *Charter) { c.Log = keys.LogPublic{} },
		"no seal key":            func(c *Charter) { c.Seal = keys.SealPublic{} },
		"no recovery key":        func(c *Charter) { c.Recovery = keys.Public{} },
		"log key is manager's":   func(c *Charter) { c.Log = keys.LogPublic(c.Manager) },
		"recovery is manager's":  func(c *Charter) { c.Recovery = c.Manager },
		"recovery is log key":    func(c *Charter) { c.Recovery = keys.Public(c.Log) },
		"created before 1970":    func(c *Charter) { c.Created = -1 },
		"created too late":       func(c *Charter) { c.Created = IntMax + 1 },
		"no unit":                func(c *Charter) { c.Unit = "" },
		"unit too long":          func(c *Charter) { c.Unit = "LONGUNITS" },
		"unit with digit":        func(c *Charter) { c.Unit = "H2O" },
		"unit with umlaut":       func(c *Charter) { c.Unit = "Ü" },
		"scale negative":         func(c *Charter) { c.Scale = -1 },
		"scale too large":        func(c *Charter) { c.Scale = 10 },
		"lower above zero":       func(c *Charter) { c.Lower = 1 },
		"upper below zero":       func(c *Charter) { c.Upper = -1 },
		"lower too low":          func(c *Charter) { c.Lower = -IntMax - 1 },
		"upper too high":         func(c *Charter) { c.Upper = IntMax + 1 },
		"no quota":               func(c *Charter) { c.Quota = 0 },
		"quota too large":        func(c *Charter) { c.Quota = QuotaMax + 1 },
		"heartbeat too short":    func(c *Charter) { c.Heartbeat = HeartbeatMin - 1 },
		"heartbeat too long":     func(c *Charter) { c.Heartbeat, c.Stale = HeartbeatMax+1, StaleMax },
		"stale before heartbeat": func(c *Charter) { c.Stale = c.Heartbeat - 1 },
		"stale too long":         func(c *Charter) { c.Stale = StaleMax + 1 },
	} {
		c := sampleCharter()
		spoil(c)
		if _, err := c.Encode(); err == nil {
			t.Errorf("%s: it encodes", name)
		}
		if _, err := ParseCharter(c.bytes()); err == nil {
			t.Errorf("%s: it decodes", name)
		}
	}
}

func TestACharterOfALaterWeirSaysSo(t *testing.T) {
	valid := must[[]byte](t)(sampleCharter().Encode())
	list := fields(t, valid)
	for _, key := range charterReserved {
		var later []field
		for _, f := range list {
			if len(later) > 0 && later[len(later)-1].key < key && key < f.key {
				later = append(later, field{key, []byte("i1e")})
			}
			later = append(later, f)
		}
		if _, err := ParseCharter(dictOf(later)); !errors.Is(err, ErrNewer) {
			t.Errorf("with %q: %v", key, err)
		}
	}
	c := sampleCharter()
	c.Kind = kindCatalogue
	if _, err := ParseCharter(c.bytes()); !errors.Is(err, ErrNewer) {
		t.Errorf("a catalogue: %v", err)
	}
}

func TestNamesThatCouldPassForOthersAreRefused(t *testing.T) {
	for _, ok := range []string{"Bob", "Mill Lane", "Ömer Ağa", "山田 太郎", "Anne-Marie O'Neil", "a", "🐟", "١٢٣", strings.Repeat("n", 32)} {
		if err := CheckMemberName(ok); err != nil {
			t.Errorf("%q: %v", ok, err)
		}
	}
	for _, bad := range []string{
		"", " ", " Bob", "Bob ", "Bob  Hale", "Bob\n", "Bob\x00", "Bob\x7f", "Bob\u0085", "Bo\u200bb", "Bo\u200db", "Bo\u200eb",
		"Bo\u202eb", "Bo\u2066b", "Bo\u00a0b", "Bo\u00adb", "Bo\u3000b", "Bob\u2800", "Bob\U00013430", "Bob\U0001d159", "Bo\ufe0fb", "\ufeffBob", "Bob\ufffd", "Bo\xffb",
		"Bo\xed\xa0\x80b", "Bo\xc0\xafb", "Bob\U000e0041", strings.Repeat("n", 33),
	} {
		if CheckMemberName(bad) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if CheckName(strings.Repeat("n", 64)) != nil || CheckName(strings.Repeat("n", 65)) == nil {
		t.Error("a database's name has another limit than 64 bytes")
	}
}

func TestTextsHaveNoControlCharacters(t *testing.T) {
	for _, ok := range []string{"", "bread and  milk ", "family 👨‍👩‍👧", strings.Repeat("m", 256)} {
		if err := CheckText("memo", ok, MemoBytesMax); err != nil {
			t.Errorf("%q: %v", ok, err)
		}
	}
	for _, bad := range []string{"a\nb", "a\tb", "\x1b[2J", "a\u0085", "\u202eevil", "a\u2028b", "\xff", strings.Repeat("m", 257)} {
		if CheckText("memo", bad, MemoBytesMax) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
