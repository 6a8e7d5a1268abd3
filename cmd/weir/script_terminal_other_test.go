//go:build !linux

package main

import "github.com/rogpeppe/go-internal/testscript"

// typing opens its terminal in the way of Linux.
func typing(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Fatalf("typing works on Linux only: put [linux] before it")
}
