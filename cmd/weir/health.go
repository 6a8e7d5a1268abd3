package main

import (
	"fmt"
	"strings"
	"time"

	"weir/internal/host"
)

// allWell is the first lines of a status: that all is well, or what is not and what
// to do, the most important first.
func allWell(v host.HealthView, otherwise string) string {
	if v.OK {
		return "All well.\n"
	}
	var b strings.Builder
	for i, p := range v.Problems {
		fmt.Fprintf(&b, "%s: %s\n", yes(i == 0, otherwise, "  also"), p.Line())
	}
	return b.String()
}

// reachText says whether others can reach this machine, and what it means.
func reachText(v host.HealthView) string {
	const text = "others can reach this machine: "
	switch {
	case v.Reach == "yes":
		return text + "yes"
	case v.Reach == "no" && v.Metered:
		return text + "no, the connection is metered"
	case v.Reach == "no":
		return text + "no, nobody has so far: all works, but nobody can fetch the database from here who cannot be reached either"
	}
	return text + "not seen yet"
}

// machineText is what weir takes of the machine, a line each, and what is kept where.
func machineText(v host.HealthView, dir host.Directory) string {
	var b strings.Builder
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%-9s %s\n", name, text)
		}
	}
	line("disk", diskText(v.Disk))
	line("traffic", trafficText(v.Traffic))
	if v.Clock != nil {
		line("clock", clockText(v))
	}
	line("backup", yes(v.Backup == "", "there has never been one", "made "+ago(v.Backup)))
	if !v.Written {
		line("words", "nobody has shown yet that the 24 words of the key are on paper: weir keys words --check --dir "+host.Quoted(string(dir)))
	}
	if v.Metered {
		line("metered", fmt.Sprintf("yes: looks every %s, serves nothing to others", (time.Duration(v.Every)*time.Second)))
	}
	return b.String()
}

func diskText(v *host.DiskView) string {
	if v == nil {
		return ""
	}
	limit := "no limit"
	if v.Limit > 0 {
		limit = "limit " + host.Bytes(uint64(v.Limit))
	}
	return fmt.Sprintf("%s used by weir, %s free; %s", host.Bytes(uint64(v.Used)), host.Bytes(v.Free), limit)
}

func trafficText(v *host.TrafficView) string {
	if v == nil {
		return ""
	}
	text := func(when string, up, down uint64) string {
		return fmt.Sprintf("%s %s up, %s down", when, host.Bytes(up), host.Bytes(down))
	}
	out := text("today", v.TodayUp, v.TodayDown) + "; " + text("since the start", v.StartUp, v.StartDown)
	if v.Limit == 0 {
		return out + "; no limit"
	}
	if v.Per == "month" {
		out += "; " + text("this month", v.MonthUp, v.MonthDown)
	}
	return out + fmt.Sprintf("; limit %s a %s", host.Bytes(uint64(v.Limit)), v.Per)
}

// clockText says how the clock compares; where it is wrong the first lines say so.
func clockText(v host.HealthView) string {
	for _, p := range v.Problems {
		if p.Code == "clock" || p.Code == "held" {
			return "wrong: see above"
		}
	}
	return "agrees with the newest head, and has not leapt"
}
