package main

import "testing"

func TestOnlyWhatIsNearIsSuggested(t *testing.T) {
	known := []string{"demo", "dht", "bench", "keys", "manager", "member", "verify", "paths", "pay", "dir"}
	for typed, want := range map[string]string{
		"manger": "manager", "emmber": "member", "memebr": "member", "paid": "pay", "dri": "dir", "key": "keys", "ver": "verify",
		"man": "manager", "path": "paths", "benhc": "bench", "dth": "dht",
		"foo": "", "status": "", "version": "", "bank": "", "x": "", "m": "", "": "", "join": "", "balance": "", "ÿ": "",
	} {
		if got := near(typed, known); got != want {
			t.Errorf("%q is taken for %q, not %q", typed, got, want)
		}
	}
	if got := near("foo", nil); got != "" {
		t.Errorf("of nothing: %q", got)
	}
}
