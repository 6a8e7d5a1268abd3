package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"weir/configs"
	"weir/internal/host"
	"weir/keys/keyfile"
)

// Roles have a default directory each.
const (
	roleManager = host.RoleManager
	roleMember  = host.RoleMember
)

func flags(groups ...[]cli.Flag) []cli.Flag {
	var all []cli.Flag
	for _, g := range groups {
		all = append(all, g...)
	}
	return all
}

func common() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "dir", Usage: "data `DIRECTORY`; weir paths shows the default", EnvVars: []string{"WEIR_DIR"}},
		&cli.StringFlag{Name: "db", Usage: "which `DATABASE`, by id or name, where the directory holds several", EnvVars: []string{"WEIR_DB"}},
		&cli.StringFlag{Name: "config", Usage: "settings `FILE` instead of weir.toml in the data directory", EnvVars: []string{"WEIR_CONFIG"}},
		jsonFlag(),
	}
}

func jsonFlag() cli.Flag {
	return &cli.BoolFlag{Name: "json", Usage: "print JSON", EnvVars: []string{"WEIR_JSON"}}
}

func timeoutFlag() cli.Flag {
	return &cli.DurationFlag{Name: "timeout", DefaultText: "never", Usage: "give up after this `TIME`, like 90s"}
}

func wordsFlag() cli.Flag {
	return &cli.StringFlag{Name: "words", Usage: "read the 24 words from `FILE` instead of the terminal or standard input"}
}

func passphraseFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "passphrase-file", Usage: "the key's passphrase is the first line of `FILE`", EnvVars: []string{"WEIR_PASSPHRASE_FILE"}},
		&cli.StringFlag{Name: "passphrase-command", Usage: "… or the first line that `COMMAND` prints", EnvVars: []string{"WEIR_PASSPHRASE_COMMAND"}},
		&cli.BoolFlag{Name: "no-passphrase", Usage: "a new key is kept in the open", EnvVars: []string{"WEIR_NO_PASSPHRASE"}},
	}
}

func networkFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "bootstrap", Usage: "start from these DHT nodes, `HOST:PORT,…`, instead of the public ones", EnvVars: []string{"WEIR_BOOTSTRAP"}},
		&cli.BoolFlag{Name: "public", Usage: "join the public DHT also when --bootstrap is given", EnvVars: []string{"WEIR_PUBLIC"}},
		&cli.StringFlag{Name: "listen", Usage: "`HOST:PORT` for UDP (DHT) and TCP (torrents); default: any free port", EnvVars: []string{"WEIR_LISTEN"}},
		&cli.StringFlag{Name: "upload-rate", Usage: "limit for torrents, `BYTES` a second, k or M behind it", EnvVars: []string{"WEIR_UPLOAD_RATE"}},
		&cli.StringFlag{Name: "download-rate", Usage: "the same for downloads, `BYTES` a second", EnvVars: []string{"WEIR_DOWNLOAD_RATE"}},
		&cli.IntFlag{Name: "node-rate", DefaultText: "20", Usage: "polls send one DHT node at most `N` packets a second", EnvVars: []string{"WEIR_NODE_RATE"}},
		&cli.IntFlag{Name: "node-burst", DefaultText: "32", Usage: "… and at most `N` at once", EnvVars: []string{"WEIR_NODE_BURST"}},
		&cli.StringFlag{Name: "disk-limit", DefaultText: "none", Usage: "the most that the directory may take, `BYTES` with k, M, G or T behind them; beyond, no torrents are fetched", EnvVars: []string{"WEIR_DISK_LIMIT"}},
		&cli.StringFlag{Name: "traffic-limit", DefaultText: "none", Usage: "the most that goes through the network, `AMOUNT` like 500M/day or 20G/month; beyond, nothing is served and no torrents are fetched", EnvVars: []string{"WEIR_TRAFFIC_LIMIT"}},
		&cli.BoolFlag{Name: "metered", Usage: "the connection is paid by the amount: look every 15 minutes, serve nothing", EnvVars: []string{"WEIR_METERED"}},
		&cli.BoolFlag{Name: "verbose", Usage: "say what happens on the network", EnvVars: []string{"WEIR_VERBOSE"}},
	}
}

func logFileFlag() cli.Flag {
	return &cli.StringFlag{Name: "log", DefaultText: "the terminal", Usage: "write what it does to `FILE`, which is kept small: older lines go to FILE.1 and so on", EnvVars: []string{"WEIR_LOG"}}
}

// openLog opens the log file that a flag or the settings name, if one does.
func (p *program) openLog(o options) error {
	path := o.c.String("log")
	if path == "" {
		if path = o.settings.Log; path == "" {
			return nil
		}
		if !filepath.IsAbs(path) {
			path = filepath.Join(string(o.dir), path)
		}
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	p.logFile, err = host.OpenLog(path)
	return err
}

// options is what flags, environment and settings file say together.
type options struct {
	dir      host.Directory
	db       string
	json     bool
	settings configs.Settings
	c        *cli.Context
	named    bool // dir is named by --dir, and so has to be named again
}

// options reads a command's common flags and the settings file behind them.
func (p *program) options(c *cli.Context, role string) (options, error) {
	dir := c.String("dir")
	if dir == "" {
		d, err := defaultDir(role)
		if err != nil {
			return options{}, err
		}
		dir = d
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return options{}, err
	}
	if at, err := os.Stat(dir); err == nil && !at.IsDir() {
		return options{}, fmt.Errorf("%s is a file, and data lies in a directory: name another with --dir", dir)
	}
	p.at(c, host.Directory(dir), role)
	path, must := c.String("config"), true
	if path == "" {
		path, must = filepath.Join(dir, "weir.toml"), false
	}
	s, err := configs.Read(path, must)
	if err != nil {
		return options{}, err
	}
	return options{dir: host.Directory(dir), db: c.String("db"), json: c.Bool("json"), settings: s, c: c, named: p.given["dir"]}, nil
}

// pick gives a flag's value when the flag or its variable says something, else
// the file's. An empty value says nothing: it never means the public network.
func (o options) pick(flag, file string) string {
	if value := o.c.String(flag); value != "" {
		return value
	}
	return file
}

func (o options) network(p *program) (host.Network, error) {
	n := host.Network{Listen: o.pick("listen", o.settings.Listen), Bootstrap: o.settings.Bootstrap, Public: o.settings.Public}
	if list := split(o.c.String("bootstrap")); len(list) > 0 {
		n.Bootstrap = list
	}
	if err := checkAddresses("bootstrap", n.Bootstrap); err != nil {
		return n, err
	}
	if n.Listen != "" {
		if err := checkAddresses("listen", []string{n.Listen}); err != nil {
			return n, err
		}
	}
	if o.c.IsSet("public") {
		n.Public = o.c.Bool("public")
	}
	var err error
	if n.UploadRate, err = configs.ParseRate(o.pick("upload-rate", o.settings.UploadRate)); err != nil {
		return n, usagef("--upload-rate: %v", err)
	}
	if n.DownloadRate, err = configs.ParseRate(o.pick("download-rate", o.settings.DownloadRate)); err != nil {
		return n, usagef("--download-rate: %v", err)
	}
	if n.NodeRate, err = o.courtesy("node-rate", o.settings.NodeRate); err != nil {
		return n, err
	}
	if n.NodeBurst, err = o.courtesy("node-burst", o.settings.NodeBurst); err != nil {
		return n, err
	}
	if n.Thrift, err = o.thrift(); err != nil {
		return n, err
	}
	if o.c.Bool("verbose") {
		n.Logf = p.logf
	}
	return n, nil
}

// thrift is what flags or the file say of how much may be taken of the machine.
func (o options) thrift() (t host.Thrift, err error) {
	t.Metered = o.settings.Metered
	if o.c.IsSet("metered") {
		t.Metered = o.c.Bool("metered")
	}
	if t.Disk, err = configs.ParseBytes(o.pick("disk-limit", o.settings.DiskLimit)); err != nil {
		return t, usagef("--disk-limit: %v", err)
	}
	if t.Traffic, err = configs.ParseTraffic(o.pick("traffic-limit", o.settings.TrafficLimit)); err != nil {
		return t, usagef("--traffic-limit: %v", err)
	}
	return t, nil
}

// usual is how long it is from one cycle or look to the next when nothing is said.
func usual(n host.Network) time.Duration {
	if n.Thrift.Metered {
		return 15 * time.Minute
	}
	return 30 * time.Second
}

// courtesy is what a flag or the file says of packets to one node; 0: nothing.
func (o options) courtesy(flag string, file int) (int, error) {
	if !o.c.IsSet(flag) {
		return file, nil
	}
	n := o.c.Int(flag)
	if n < 1 || n > configs.NodeRateMax {
		return 0, usagef("--%s %d is not between 1 and %d packets", flag, n, configs.NodeRateMax)
	}
	return n, nil
}

// duration is what a flag or the file says of a length of time, which is not less
// than least.
func (o options) duration(flag, file string, def, least time.Duration) (time.Duration, error) {
	text := o.pick(flag, file)
	if text == "" {
		return def, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, usagef("--%s %s is not a length of time like 30s or 2m", flag, text)
	}
	if d < least {
		return 0, usagef("--%s %s is less than %s", flag, text, least)
	}
	return d, nil
}

// passphrase is where the passphrase of the directory's key comes from.
func (o options) passphrase(p *program) (keyfile.Passphrase, error) {
	flag, value, err := o.source(p, "no-passphrase", "passphrase-file", "passphrase-command")
	return p.from(flag, value), err
}

// from is what a flag says of where a passphrase comes from; "": the terminal.
func (p *program) from(flag, value string) keyfile.Passphrase {
	k := keyfile.Passphrase{In: p.in, Out: p.errFile}
	switch flag {
	case "no-passphrase":
		k.None = true
	case "passphrase-file", "new-passphrase-file":
		k.File = value
	case "passphrase-command":
		k.Command = value
	}
	return k
}

// source gives the one of some flags that says something, and what: on the
// command line, or else in the environment, or else in the settings. Two of them
// on one level contradict each other. "" says that none does.
func (o options) source(p *program, flags ...string) (flag, value string, err error) {
	file := map[string]string{"passphrase-file": o.settings.PassphraseFile, "passphrase-command": o.settings.PassphraseCommand}
	for _, level := range []struct {
		where string
		says  func(flag string) string
	}{
		{"on the command line", func(f string) string { return yes(p.given[f], o.text(f), "") }},
		{"in the environment", func(f string) string { return yes(p.given[f], "", o.text(f)) }},
		{"in weir.toml", func(f string) string { return file[f] }},
	} {
		for _, f := range flags {
			switch says := level.says(f); {
			case says == "":
			case flag != "":
				return "", "", usagef("--%s and --%s are both said %s, and only one can be meant", flag, f, level.where)
			default:
				flag, value = f, says
			}
		}
		if flag != "" {
			return flag, value, nil
		}
	}
	return "", "", nil
}

// text is a flag's value; "" where it says nothing.
func (o options) text(flag string) string {
	if flag == "no-passphrase" {
		return yes(o.c.Bool(flag), "true", "")
	}
	return o.c.String(flag)
}

// textOf is a flag's value where that is text. What is not would be stored and
// shown as something else.
func textOf(c *cli.Context, flag string) (string, error) {
	text := c.String(flag)
	if !utf8.ValidString(text) {
		return "", usagef("--%s %q is not UTF-8 text", flag, text)
	}
	return text, nil
}

func split(list string) []string {
	var out []string
	for _, s := range strings.Split(list, ",") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// checkAddresses says which address of a list does not read: one that was
// mistyped must not be passed over because others work.
func checkAddresses(flag string, list []string) error {
	for _, s := range list {
		_, port, err := net.SplitHostPort(s)
		if _, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil {
			return usagef("--%s %s: an address is HOST:PORT, like 192.0.2.7:6881", flag, s)
		}
	}
	return nil
}

// linkAddresses are the addresses of a list that a link can carry: numbers,
// not names.
func linkAddresses(list []string) []netip.AddrPort {
	var out []netip.AddrPort
	for _, s := range list {
		if a, err := netip.ParseAddrPort(s); err == nil && len(out) < 4 {
			out = append(out, a)
		}
	}
	return out
}

// defaultDir is where a role keeps its data unless --dir says otherwise.
func defaultDir(role string) (string, error) {
	base := os.Getenv("XDG_DATA_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", usagef("this user has no home directory: say where with --dir")
		}
		switch runtime.GOOS {
		case "windows":
			base = filepath.Join(home, "AppData", "Local")
		case "darwin":
			base = filepath.Join(home, "Library", "Application Support")
		default:
			base = filepath.Join(home, ".local", "share")
		}
	}
	return filepath.Join(base, "weir", role), nil
}
