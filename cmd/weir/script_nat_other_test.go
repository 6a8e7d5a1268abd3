//go:build !linux

package main

import (
	"errors"

	"github.com/rogpeppe/go-internal/testscript"
)

func canMakeTowns() (bool, error) { return false, nil }

// town makes network namespaces, which Linux has.
func town(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Fatalf("towns are built on Linux only: put [netns] before it")
}

func streetDHT([]string) error { return errors.New("towns are built on Linux only") }
