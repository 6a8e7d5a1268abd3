package configs

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// terms are weir's own words that people meet in messages, as the README's
// glossary has them.
var terms = []string{
	"24 words", "account", "agent", "answer code", "approval", "audit", "change", "charter", "checkpoint", "chunk", "cycle",
	"database", "DHT", "encrypted", "entry", "evidence", "head", "infohash", "invitation", "item", "key", "link", "log", "manager",
	"member", "member code", "outbox", "passphrase", "public link", "read key", "recovery key", "rekey", "root", "seed",
	"seq", "serve", "shelf", "stream", "succession", "suspend", "sweep", "takeover", "torrent", "transfer", "verdict", "volume",
}

var bold = regexp.MustCompile(`\*\*([^*]+)\*\*`)

func TestTheReadmeExplainsTheWordsOfMessages(t *testing.T) {
	b, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, glossary, _ := strings.Cut(string(b), "\n## Words\n")
	glossary, _, _ = strings.Cut(glossary, "\n## ")
	var explained []string
	for _, found := range bold.FindAllStringSubmatch(glossary, -1) {
		for _, word := range strings.Split(strings.ToLower(found[1]), ", ") {
			explained = append(explained, word, strings.TrimSuffix(word, "s"))
		}
	}
	said := strings.ToLower(messagesText)
	for _, term := range terms {
		switch term := strings.ToLower(term); {
		case !regexp.MustCompile(`\b` + regexp.QuoteMeta(term)).MatchString(said):
			t.Errorf("no message says %q any more: take it out of terms", term)
		case !slices.Contains(explained, term):
			t.Errorf("messages say %q, and the README's Words do not explain it", term)
		}
	}
}
