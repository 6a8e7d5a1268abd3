package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"weir/internal/host"
)

// jsonget VARIABLE PATH [FILE] sets a variable to a value of the JSON that was
// last printed, or of a file's.
func jsonGet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: jsonget VARIABLE PATH [FILE]")
	}
	ts.Setenv(args[0], text(read(ts, source(ts, args[2:]), args[1])))
}

// jsonis PATH VALUE [FILE] compares a value of the JSON that was last printed,
// or of a file's; ! jsonis wants another one. PATH is keys and indices with
// dots between, and # for how many there are.
func jsonIs(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: jsonis PATH VALUE [FILE]")
	}
	got := text(read(ts, source(ts, args[2:]), args[0]))
	if (got == args[1]) == neg {
		ts.Fatalf("%s is %q", args[0], got)
	}
}

// isjson [FILE] checks that what was last printed is JSON and nothing else.
func isJSON(ts *testscript.TestScript, neg bool, args []string) {
	d := json.NewDecoder(strings.NewReader(source(ts, args)))
	n := 0
	for {
		var v any
		err := d.Decode(&v)
		if errors.Is(err, io.EOF) {
			break
		}
		ts.Check(err)
		n++
	}
	if n == 0 {
		ts.Fatalf("nothing was printed")
	}
}

func source(ts *testscript.TestScript, args []string) string {
	if len(args) == 1 {
		return ts.ReadFile(args[0])
	}
	return ts.ReadFile("stdout")
}

// read gives a value of the first JSON value in a text; nil when it has none at
// the path.
func read(ts *testscript.TestScript, from, path string) any {
	d := json.NewDecoder(strings.NewReader(from))
	d.UseNumber()
	var v any
	ts.Check(d.Decode(&v))
	for _, step := range strings.Split(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[step]
		case []any:
			if step == "#" {
				return json.Number(strconv.Itoa(len(at)))
			}
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(at) || -i > len(at) {
				return nil
			}
			if i < 0 {
				i += len(at)
			}
			v = at[i]
		default:
			return nil
		}
	}
	return v
}

func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case map[string]any, []any:
		b, err := json.Marshal(v)
		if err != nil {
			return err.Error()
		}
		return string(b)
	}
	return fmt.Sprint(v)
}

// spoil FILE [OFFSET] flips one bit of a byte: the one in the middle, or the
// one at the offset, from the end when it is negative. FILE may be a pattern that
// one file fits.
func spoil(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: spoil FILE [OFFSET]")
	}
	paths, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(paths) != 1 {
		ts.Fatalf("%s: there are %d such files", args[0], len(paths))
	}
	b, err := os.ReadFile(paths[0])
	ts.Check(err)
	at := len(b) / 2
	if len(args) == 2 {
		at, err = strconv.Atoi(args[1])
		ts.Check(err)
		if at < 0 {
			at += len(b)
		}
	}
	if at < 0 || at >= len(b) {
		ts.Fatalf("%s has %d bytes", args[0], len(b))
	}
	b[at] ^= 1
	ts.Check(os.WriteFile(paths[0], b, 0o600))
}

// inorder checks that the log that was last printed is whole: every entry
// follows the one before, and every account's numbers are 1, 2, 3 …
func inOrder(ts *testscript.TestScript, neg bool, args []string) {
	var log []host.EntryView
	ts.Check(json.Unmarshal([]byte(source(ts, args)), &log))
	numbers := map[uint64]uint64{}
	for i, e := range log {
		if numbers[e.Account]++; e.Number != numbers[e.Account] {
			ts.Fatalf("entry %d has number %d of account %d, whose next is %d", e.Index, e.Number, e.Account, numbers[e.Account])
		}
		if e.Index != uint64(i)+1 {
			ts.Fatalf("entry %d stands in place %d", e.Index, i+1)
		}
	}
}
