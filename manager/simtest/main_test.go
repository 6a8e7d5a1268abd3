package simtest

import (
	"os"
	"runtime/debug"
	"testing"
)

func TestMain(m *testing.M) {
	// Worlds make much garbage and hold little.
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}
