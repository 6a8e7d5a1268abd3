// Package configs holds the files that weir ships, embedded, and reads them:
// weir.toml, the settings of a data directory. The repository's own rules are
// a test here (tidy_test.go).
package configs

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// Default is weir.toml with every key, commented.
//
//go:embed weir.toml
var Default string

// Settings is what weir.toml may say. Empty fields were not said.
type Settings struct {
	Bootstrap         []string `toml:"bootstrap"`
	Public            bool     `toml:"public"`
	Listen            string   `toml:"listen"`
	Cycle             string   `toml:"cycle"`
	Follow            string   `toml:"follow"`
	UploadRate        string   `toml:"upload_rate"`
	DownloadRate      string   `toml:"download_rate"`
	NodeRate          int      `toml:"node_rate"`
	NodeBurst         int      `toml:"node_burst"`
	DiskLimit         string   `toml:"disk_limit"`
	TrafficLimit      string   `toml:"traffic_limit"`
	Metered           bool     `toml:"metered"`
	Log               string   `toml:"log"`
	PassphraseFile    string   `toml:"passphrase_file"`
	PassphraseCommand string   `toml:"passphrase_command"`
}

// Keys are the keys that weir.toml knows, sorted.
func Keys() []string {
	return []string{"bootstrap", "cycle", "disk_limit", "download_rate", "follow", "listen", "log", "metered", "node_burst", "node_rate", "passphrase_command", "passphrase_file", "public", "traffic_limit", "upload_rate"}
}

const fileBytesMax = 64 << 10

// Read reads a settings file. A missing one is empty settings unless it must
// exist. Unknown keys and values that do not read are errors.
func Read(path string, must bool) (Settings, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) && !must {
		return Settings{}, nil
	}
	if err != nil {
		return Settings{}, fmt.Errorf("read the settings: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, fileBytesMax+1))
	if err != nil {
		return Settings{}, fmt.Errorf("read the settings: %w", err)
	}
	if len(b) > fileBytesMax {
		return Settings{}, fmt.Errorf("read the settings %s: over %d bytes", path, fileBytesMax)
	}
	s, err := Parse(string(b))
	if err != nil {
		return Settings{}, fmt.Errorf("read the settings %s: %w", path, err)
	}
	return s, nil
}

// Parse reads settings from text.
func Parse(text string) (Settings, error) {
	var s Settings
	meta, err := toml.Decode(text, &s)
	if err != nil {
		var p toml.ParseError
		if errors.As(err, &p) {
			return s, fmt.Errorf("line %d: %s", p.Position.Line, p.Message)
		}
		return s, err
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		k := unknown[0].String()
		return s, fmt.Errorf("there is no key %q; did you mean %q?", k, Nearest(k, Keys()))
	}
	for key, v := range map[string]string{"cycle": s.Cycle, "follow": s.Follow} {
		if v == "" {
			continue
		}
		if d, err := time.ParseDuration(v); err != nil || d <= 0 {
			return s, fmt.Errorf("%s = %q is not a length of time like \"30s\" or \"2m\"", key, v)
		}
	}
	if d, err := time.ParseDuration(s.Follow); err == nil && d < FollowMin {
		return s, fmt.Errorf("follow = %q is less than %s", s.Follow, FollowMin)
	}
	if d, err := time.ParseDuration(s.Cycle); err == nil && d < CycleMin {
		return s, fmt.Errorf("cycle = %q is less than %s", s.Cycle, CycleMin)
	}
	for key, v := range map[string]string{"upload_rate": s.UploadRate, "download_rate": s.DownloadRate} {
		if _, err := ParseRate(v); err != nil {
			return s, fmt.Errorf("%s: %w", key, err)
		}
	}
	if _, err := ParseBytes(s.DiskLimit); err != nil {
		return s, fmt.Errorf("disk_limit: %w", err)
	}
	if _, err := ParseTraffic(s.TrafficLimit); err != nil {
		return s, fmt.Errorf("traffic_limit: %w", err)
	}
	for key, n := range map[string]int{"node_rate": s.NodeRate, "node_burst": s.NodeBurst} {
		if meta.IsDefined(key) && (n < 1 || n > NodeRateMax) {
			return s, fmt.Errorf("%s = %d is not between 1 and %d packets", key, n, NodeRateMax)
		}
	}
	return s, nil
}

// FollowMin bounds how often a member looks for what is new: two nodes are asked
// each time.
const FollowMin = 200 * time.Millisecond

// CycleMin bounds how often a manager polls. What it asks of each DHT node is limited
// besides.
const CycleMin = 50 * time.Millisecond

// NodeRateMax bounds what one DHT node may be sent: more is an attack.
const NodeRateMax = 1000

// ParseRate reads bytes a second: digits, and k (1000) or M (1000000) behind
// them. "" is 0, no limit.
func ParseRate(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	digits, unit := text, int64(1)
	switch text[len(text)-1] {
	case 'k', 'K':
		digits, unit = text[:len(text)-1], 1000
	case 'M':
		digits, unit = text[:len(text)-1], 1000_000
	}
	n := int64(0)
	if digits == "" || len(digits) > 12 || strings.Trim(digits, "0123456789") != "" {
		return 0, fmt.Errorf("%q is not a number of bytes a second like 500k or 2M", text)
	}
	for _, d := range digits {
		n = 10*n + int64(d-'0')
	}
	return n * unit, nil
}

// Nearest is the known word that needs the fewest edits to become word
// (Levenshtein distance).
func Nearest(word string, known []string) string {
	return slices.MinFunc(known, func(a, b string) int { return distance(word, a) - distance(word, b) })
}

func distance(a, b string) int {
	if len(a) > 64 {
		a = a[:64]
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
