package backup

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var made = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const (
	someID = "00112233445566778899aabbccddeeff"
	store  = "db/0123456789abcdef0123456789abcdef01234567"
)

func archive(t testing.TB, files map[string]string, names ...string) []byte {
	t.Helper()
	l := List{ID: someID, Kind: KindBackup, Made: made}
	for _, n := range names {
		l.Files = append(l.Files, File{n, int64(len(files[n]))})
	}
	var b bytes.Buffer
	if err := Write(&b, l, func(f File) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(files[f.Name])), nil }); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func sample(t testing.TB) []byte {
	files := map[string]string{"key": "a key", store + ".json": "{}", store + "/charter": "c", store + "/stream/000000.vol": strings.Repeat("v", 3000), store + "/rows": "r"}
	return archive(t, files, "key", store+".json", store+"/charter", store+"/rows", store+"/stream/000000.vol")
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	b := sample(t)
	if !Begins(b) {
		t.Error("it does not begin as it should")
	}
	got := map[string]string{}
	l, err := Read(bytes.NewReader(b), nil, func(f File, r io.Reader) error {
		all, err := io.ReadAll(r)
		got[f.Name] = string(all)
		return err
	})
	if err != nil || len(l.Files) != 5 || l.ID != someID || !l.Made.Equal(made) || l.Bytes() != 5+2+1+3000+1 {
		t.Fatalf("read %+v, %v", l, err)
	}
	if got["key"] != "a key" || len(got[store+"/stream/000000.vol"]) != 3000 {
		t.Errorf("read %v", got)
	}
	if _, err := Read(bytes.NewReader(b), nil, nil); err != nil {
		t.Errorf("read by somebody who takes nothing: %v", err)
	}
	stop := errors.New("stop")
	if _, err := Read(bytes.NewReader(b), func(*List) error { return stop }, nil); err != stop {
		t.Errorf("ended by begin: %v", err)
	}
	if _, err := Read(bytes.NewReader(b), nil, func(File, io.Reader) error { return stop }); err != stop {
		t.Errorf("ended by take: %v", err)
	}
}

func TestStockToolsOpenAnArchive(t *testing.T) {
	if _, err := exec.LookPath("sha256sum"); err != nil {
		t.Skip("no sha256sum on this machine")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.tar"), sample(t), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("sh", "-c", "tar xf a.tar && sha256sum -c SHA256SUMS")
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil || strings.Count(string(out), ": OK") != 6 {
		t.Errorf("%v: %s", err, out)
	}
}

func TestAnArchiveThatIsCutOrGarbledIsDamaged(t *testing.T) {
	b := sample(t)
	for n := range len(bytes.TrimRight(b, "\x00")) { // zeros end it
		if _, err := Read(bytes.NewReader(b[:n]), nil, nil); err == nil {
			t.Fatalf("cut to %d it is read", n)
		}
	}
	want, err := contents(b)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(b); n += 7 {
		garbled := bytes.Clone(b)
		garbled[n] ^= 1
		// There are bytes between the files that say nothing.
		if got, err := contents(garbled); err == nil && got != want {
			t.Fatalf("garbled at %d it is read: %s", n, got)
		}
	}
	if _, err := Read(bytes.NewReader(append(bytes.Clone(b), make([]byte, 100<<10)...)), nil, nil); !errors.Is(err, ErrDamaged) {
		t.Errorf("with much behind it: %v", err)
	}
	if _, err := Read(bytes.NewReader(append(bytes.Clone(b), 1)), nil, nil); !errors.Is(err, ErrDamaged) {
		t.Errorf("with something behind it: %v", err)
	}
}

// contents is all that is in an archive.
func contents(b []byte) (string, error) {
	var all strings.Builder
	l, err := Read(bytes.NewReader(b), nil, func(f File, r io.Reader) error {
		fmt.Fprintf(&all, "%+v: ", f)
		_, err := io.Copy(&all, r)
		return err
	})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%+v %s", *l, all.String()), nil
}

// crafted is an archive with what Write refuses to write.
func crafted(t *testing.T, list string, headers ...tar.Header) []byte {
	t.Helper()
	var b, sums bytes.Buffer
	w := tar.NewWriter(&b)
	add := func(h tar.Header, content string) {
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(content))
		}
		h.Mode = 0o600
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			io.WriteString(w, content)
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256([]byte(content)), h.Name)
	}
	add(tar.Header{Typeflag: tar.TypeReg, Name: listName}, list)
	for _, h := range headers {
		add(h, "x")
	}
	add(tar.Header{Typeflag: tar.TypeReg, Name: sumsName}, sums.String())
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func listed(files ...File) string {
	b, _ := json.Marshal(List{Format: 1, ID: someID, Kind: KindBackup, Made: made, Files: files})
	return string(b)
}

func TestWhatDoesNotBelongIntoABackupIsRefused(t *testing.T) {
	reg := func(name string) tar.Header { return tar.Header{Typeflag: tar.TypeReg, Name: name} }
	for _, c := range []struct {
		what string
		b    []byte
		want error
	}{
		{"nothing", nil, ErrNot},
		{"text", []byte(strings.Repeat("no archive at all\n", 100)), ErrNot},
		{"another archive", func() []byte {
			var b bytes.Buffer
			w := tar.NewWriter(&b)
			w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "readme", Size: 0, Mode: 0o600})
			w.Close()
			return b.Bytes()
		}(), ErrNot},
		{"a newer format", crafted(t, `{"format":2,"what":"who knows"}`), ErrVersion},
		{"no format", crafted(t, `{"files":[]}`), ErrDamaged},
		{"a kind that is none", crafted(t, strings.Replace(listed(), `"backup"`, `"loan"`, 1)), ErrDamaged},
		{"a list that says more", crafted(t, strings.Replace(listed(), `"kind"`, `"mode":7,"kind"`, 1)), ErrDamaged},
		{"a list and another", crafted(t, listed()+listed()), ErrDamaged},
		{"a way out", crafted(t, listed(File{"../key", 1}), reg("../key")), ErrDamaged},
		{"a way out in the middle", crafted(t, listed(File{store + "/../../key", 1}), reg(store+"/../../key")), ErrDamaged},
		{"an absolute path", crafted(t, listed(File{"/etc/passwd", 1}), reg("/etc/passwd")), ErrDamaged},
		{"a backslash", crafted(t, listed(File{`..\key`, 1}), reg(`..\key`)), ErrDamaged},
		{"a program", crafted(t, listed(File{"weir", 1}), reg("weir")), ErrDamaged},
		{"a second list", crafted(t, listed(File{listName, 1}), reg(listName)), ErrDamaged},
		{"a symbolic link", crafted(t, listed(File{"key", 1}), tar.Header{Typeflag: tar.TypeSymlink, Name: "key", Linkname: "/etc/passwd"}), ErrDamaged},
		{"a hard link", crafted(t, listed(File{"key", 1}), tar.Header{Typeflag: tar.TypeLink, Name: "key", Linkname: "weir.toml"}), ErrDamaged},
		{"a directory", crafted(t, listed(File{"key", 1}), tar.Header{Typeflag: tar.TypeDir, Name: "key/"}), ErrDamaged},
		{"a file that was not listed", crafted(t, listed(), reg("key")), ErrDamaged},
		{"a file twice", crafted(t, listed(File{"key", 1}, File{"key", 1}), reg("key"), reg("key")), ErrDamaged},
		{"a file of another size", crafted(t, listed(File{"key", 2}), reg("key")), ErrDamaged},
		{"a file that would fill the disk", crafted(t, listed(File{store + "/stream/000000.vol", 1 << 50}), reg(store+"/stream/000000.vol")), ErrDamaged},
		{"less than nothing", crafted(t, listed(File{"key", -1}), reg("key")), ErrDamaged},
		{"too many files", crafted(t, func() string {
			var files []File
			for n := range filesMax + 1 {
				files = append(files, File{fmt.Sprintf("%s/stream/%06d.vol", store, n), 1})
			}
			return listed(files...)
		}()), ErrDamaged},
		{"a list without end", crafted(t, strings.Repeat(" ", listBytesMax+1)), ErrDamaged},
	} {
		taken := 0
		_, err := Read(bytes.NewReader(c.b), nil, func(File, io.Reader) error { taken++; return nil })
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.what, err, c.want)
		}
		if taken > 1 || taken == 1 && !strings.Contains(c.what, "twice") {
			t.Errorf("%s: %d files were taken", c.what, taken)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(sample(f))
	f.Add([]byte(listName))
	f.Fuzz(func(t *testing.T, b []byte) {
		var names []string
		files := map[string]string{}
		l, err := Read(bytes.NewReader(b), nil, func(f File, r io.Reader) error {
			if strings.Contains(f.Name, "..") || filepath.IsAbs(f.Name) || !filepath.IsLocal(f.Name) {
				t.Fatalf("the name %q", f.Name)
			}
			c, err := io.ReadAll(r)
			names, files[f.Name] = append(names, f.Name), string(c)
			return err
		})
		if err != nil {
			return
		}
		if len(names) != len(l.Files) {
			t.Fatalf("%d of %d files came", len(names), len(l.Files))
		}
		if _, err := Read(bytes.NewReader(archive(t, files, names...)), nil, nil); err != nil {
			t.Fatalf("what was read is not written: %v", err)
		}
	})
}
