package ledger

import "testing"

func TestATextOfDigitsIsANumber(t *testing.T) {
	for text, want := range map[string]bool{
		"1": true, "007": true, "99999999999999999999": true, "٣": true, "１２": true, "²": true,
		"": false, "a1": false, "1a": false, "-1": false, "1.5": false, "1 2": false, "Ana": false, "\xff": false,
	} {
		if IsNumber(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}
