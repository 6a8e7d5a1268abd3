package host

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"weir/configs"
)

func TestTrafficIsCountedByDayAndMonthOverStarts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "traffic")
	at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, time.UTC) }
	var up, down uint64
	count := func() (uint64, uint64) { return up, down }
	a := newTraffic(path, configs.Traffic{Bytes: 100}, count)
	up, down = 10, 20
	a.look(at(28, 1))
	up, down = 15, 40
	if v := a.look(at(28, 2)); v.TodayUp != 15 || v.TodayDown != 40 || v.StartUp != 15 || v.Reached {
		t.Errorf("%+v", v)
	}
	a.keep()

	up, down = 0, 0 // another process
	b := newTraffic(path, configs.Traffic{Bytes: 100}, count)
	up, down = 5, 40
	if v := b.look(at(28, 3)); v.TodayUp != 20 || v.TodayDown != 80 || v.StartDown != 40 || !v.Reached || v.Per != "day" {
		t.Errorf("%+v", v)
	}
	up = 6
	if v := b.look(at(29, 0)); v.TodayUp != 1 || v.TodayDown != 0 || v.MonthUp != 21 || v.MonthDown != 80 || v.Reached {
		t.Errorf("the next day: %+v", v)
	}
	b.keep()
	c := newTraffic(path, configs.Traffic{Bytes: 101, Month: true}, func() (uint64, uint64) { return 0, 0 })
	if v := c.look(at(29, 1)); !v.Reached || v.Per != "month" {
		t.Errorf("a month's limit: %+v", v)
	}
	if v := c.look(at(29, 1).AddDate(0, 1, 0)); v.Reached || v.MonthUp != 0 {
		t.Errorf("the next month: %+v", v)
	}
	for _, rubbish := range []string{"", "[", "[1,2]", `[{"label":7}]`, `{}`} {
		if err := os.WriteFile(path, []byte(rubbish), 0o600); err != nil {
			t.Fatal(err)
		}
		if v := newTraffic(path, configs.Traffic{}, count).look(at(29, 1)); v.TodayDown != 40 {
			t.Errorf("%q: %+v", rubbish, v)
		}
	}
}

func FuzzParseTraffic(f *testing.F) {
	f.Add([]byte(`[{"label":"2026-11-28","up":1,"down":2},{"label":"2026-11","up":1,"down":2}]`))
	f.Fuzz(func(t *testing.T, b []byte) { parseTraffic(b) })
}

// What is reached stops serving, then fetching; and once it is not any more, both
// begin again.
func TestLimitsStopServingAndFetchingAndLetThemGoOn(t *testing.T) {
	var up uint64
	var mute, spare []bool
	dir := Directory(t.TempDir())
	k := &keeper{
		thrift: Thrift{Traffic: configs.Traffic{Bytes: 100}}, dir: dir,
		traffic: newTraffic("", configs.Traffic{Bytes: 100}, func() (uint64, uint64) { return up, 0 }),
		mute:    func(m bool) { mute = append(mute, m) }, spare: func(s bool) { spare = append(spare, s) },
	}
	expect := func(what string, m, s bool, times int) {
		t.Helper()
		if len(mute) != times || mute[times-1] != m || spare[times-1] != s {
			t.Errorf("%s: mute %v, spare %v", what, mute, spare)
		}
	}
	last := k.apply(noon, nil)
	expect("at the start", false, false, 1)
	last = k.apply(noon, last)
	expect("nothing new", false, false, 1)
	up = 100
	last = k.apply(noon, last)
	expect("the traffic limit", true, true, 2)
	last = k.apply(noon.AddDate(0, 0, 1), last)
	expect("the next day", false, false, 3)
	k.disk = &DiskView{Used: 10, Limit: 10}
	last = k.apply(noon.AddDate(0, 0, 1), last)
	expect("the disk's limit", false, true, 4)
	k.disk, k.thrift.Metered = nil, true
	k.apply(noon.AddDate(0, 0, 1), last)
	expect("metered", true, false, 5)
}

func TestADirectorysFilesAreCounted(t *testing.T) {
	dir := Directory(t.TempDir())
	if err := dir.Make(); err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string]int{"a": 1000, "db/b": 234} {
		if err := os.WriteFile(filepath.Join(string(dir), name), make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	v := dir.Disk(1234)
	if v == nil || v.Used != 1234 || v.Free == 0 || !v.reached() {
		t.Errorf("%+v", v)
	}
}
