package swarm

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"weir/internal/seed"
	"weir/ledger/wire"
)

// libtorrent is a command of testdata/libtorrent_peer.py; the test is skipped
// where there is no libtorrent, but not in CI.
func libtorrent(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	const python = "/usr/bin/python3"
	if out, err := exec.Command(python, "-c", "import libtorrent").CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("python3-libtorrent: %v\n%s", err, out)
		}
		t.Skip("python3-libtorrent is not installed")
	}
	cmd := exec.CommandContext(t.Context(), python, append([]string{"testdata/libtorrent_peer.py"}, args...)...)
	cmd.Stderr = os.Stderr
	return cmd
}

func TestLibtorrentDownloadsFromUs(t *testing.T) {
	tail, state := random(1, 700<<10+5), random(2, 9000)
	newestInfo, newestContent := newest(tail, state)
	full := random(3, 1<<20+77)
	for name, torrent := range map[string]struct{ info, content []byte }{
		"a volume":         {volume(full), full},
		"a newest torrent": {newestInfo, newestContent},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a := w.client()
			w.serve(a, torrent.info, torrent.content)
			infohash := wire.Infohash(torrent.info)
			dir := t.TempDir()
			out, err := libtorrent(t, "leech", dir, hex.EncodeToString(infohash[:]),
				a.Addr().Addr().String(), portText(a.Addr().Port())).Output()
			if err != nil || strings.TrimSpace(string(out)) != "done" {
				t.Fatalf("libtorrent: %v, %q", err, out)
			}
			if got := read(t, dir, torrent.info); !bytes.Equal(got, torrent.content) {
				t.Errorf("it has %d other bytes", len(got))
			}
		})
	}
}

func TestWeDownloadFromLibtorrent(t *testing.T) {
	w := newWorld(t)
	b := w.client()
	content := random(4, 600<<10+1)
	info := volume(content)
	dir := t.TempDir()
	parsed, err := wire.ParseInfo(info)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "weir-"+parsed.ID.String()+"-000007"), content)
	write(t, filepath.Join(dir, "info"), info)
	cmd := libtorrent(t, "seed", dir, filepath.Join(dir, "info"))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer stdin.Close()
	port, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	m := &memory{b: make([]byte, len(content))}
	done, _ := w.run(b, seed.Fetch{
		Infohash: wire.Infohash(info),
		Peers:    []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:" + strings.TrimSpace(port))},
		Plan:     func([]byte) (seed.Content, int64, error) { return m, 0, nil },
	})
	if r := w.wait(done); r.Err != nil || !bytes.Equal(m.bytes(), content) || !bytes.Equal(r.Info, info) {
		t.Fatalf("got %v", r.Err)
	}
}

// read gives what a torrent client has stored of a torrent of ours.
func read(t *testing.T, dir string, info []byte) []byte {
	t.Helper()
	parsed, err := wire.ParseInfo(info)
	if err != nil {
		t.Fatal(err)
	}
	name := "weir-" + parsed.ID.String()
	paths := []string{name + "-000007"}
	if parsed.Newest {
		paths = []string{filepath.Join(name, "tail"), filepath.Join(name, "state")}
	}
	var all []byte
	for _, p := range paths {
		b, err := os.ReadFile(filepath.Join(dir, p))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
