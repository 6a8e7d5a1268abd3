//go:build !linux

package main

import "github.com/rogpeppe/go-internal/testscript"

func canMount() (bool, error) { return false, nil }

func disk(ts *testscript.TestScript, _ bool, _ []string) { ts.Fatalf("a small disk needs Linux") }

func room(ts *testscript.TestScript, _ bool, _ []string) { ts.Fatalf("a limit of room needs Linux") }
