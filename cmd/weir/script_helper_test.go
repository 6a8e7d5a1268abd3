package main

import (
	"context"
	"crypto/rand"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/rogpeppe/go-internal/testscript"

	"weir/internal/control"
	"weir/internal/host"
	"weir/keys"
	"weir/ledger/wire"
)

// helper makes a function a program of the scripts.
func helper(f func(args []string) error) func() {
	return func() {
		if err := f(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// found DIRECTORY DAYS founds a database so many days ago, with a key in the
// open: what weir manager init did then.
func found(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: found DIRECTORY DAYS")
	}
	days, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	seed, err := keys.NewSeed(rand.Reader)
	if err != nil {
		return err
	}
	recovery, err := keys.NewSeed(rand.Reader)
	if err != nil {
		return err
	}
	dir := host.Directory(args[0])
	if err := dir.Make(); err != nil {
		return err
	}
	if err := dir.Key().Create(seed, ""); err != nil {
		return err
	}
	id := keys.Derive(seed)
	var bootstrap []netip.AddrPort
	for _, a := range strings.Split(os.Getenv("WEIR_BOOTSTRAP"), ",") {
		if p, err := netip.ParseAddrPort(a); err == nil {
			bootstrap = append(bootstrap, p)
		}
	}
	_, err = host.Found(dir, &wire.Charter{
		Kind: wire.KindLedger, Name: "Old Mill", Created: time.Now().AddDate(0, 0, -days).UnixMilli(), Unit: "HRS", Scale: 2,
		Lower: -10000, Upper: 100000, Quota: 1000, Heartbeat: 4 * 3600, Stale: 24 * 3600,
		Manager: id.Public(), Log: id.LogPublic(), Seal: id.SealPublic(), Recovery: keys.Derive(recovery).Public(),
	}, id, bootstrap)
	return err
}

// words FILE [upper] prints the words of weir keys words --json as a person
// might type them.
func words(args []string) error {
	if len(args) < 1 {
		return errors.New("usage: words FILE [upper]")
	}
	b, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	var v struct {
		Words []string `json:"words"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	if len(args) == 1 {
		fmt.Println(strings.Join(v.Words, " "))
		return nil
	}
	for _, w := range v.Words {
		fmt.Printf("  %s\n", strings.ToUpper(w))
	}
	return nil
}

// invite DIRECTORY SECONDS makes an invitation that is good for so long, in the
// manager that runs there: shorter than weir manager invite lets people.
func invite(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: invite DIRECTORY SECONDS")
	}
	seconds, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	in, err := json.Marshal(host.InviteIn{Seconds: int64(seconds)})
	if err != nil {
		return err
	}
	dir := host.Directory(args[0])
	db, err := dir.Choose("", host.RoleManager)
	if err != nil {
		return err
	}
	var v host.InvitationView
	if err := control.Call(context.Background(), dir.Control(db), "manager invite", host.Request{In: in}, &v); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(v)
}

// readQR FILE VARIABLE sets a variable to what a QR code says.
func readQR(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: readqr FILE VARIABLE")
	}
	picture, err := png.Decode(strings.NewReader(ts.ReadFile(args[0])))
	ts.Check(err)
	bits, err := gozxing.NewBinaryBitmapFromImage(picture)
	ts.Check(err)
	// A picture without a camera's distortions: looking for some may go astray.
	said, err := qrcode.NewQRCodeReader().Decode(bits, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	ts.Check(err)
	ts.Setenv(args[1], said.GetText())
}

// relink LINK prints a database's public link, or an invitation, in two other
// ways, as JSON: "bare" without addresses to start from, "other" with another
// charter's digest.
func relink(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: relink LINK")
	}
	l, err := wire.ParseLink(args[0])
	if err != nil {
		return err
	}
	link, ok := l.(wire.DatabaseLink)
	invitation, invites := l.(wire.Invitation)
	if invites {
		link, ok = invitation.DatabaseLink, true
	}
	if !ok {
		return errors.New("this is neither a public link nor an invitation")
	}
	text := func(d wire.DatabaseLink) (string, error) {
		if invites {
			return wire.Invitation{DatabaseLink: d, Secret: invitation.Secret, Expires: invitation.Expires}.Link()
		}
		return d.Link()
	}
	other := link
	other.Digest[0] ^= 1
	link.Bootstrap = nil
	var out struct {
		Bare  string `json:"bare"`
		Other string `json:"other"`
	}
	if out.Bare, err = text(link); err != nil {
		return err
	}
	if out.Other, err = text(other); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}

// admitted DIRECTORY [DATABASE] admits a new key whose owner never appears.
func admitted(args []string) error {
	if len(args) < 1 || len(args) > 2 {
		return errors.New("usage: admitted DIRECTORY [DATABASE]")
	}
	seed, err := keys.NewSeed(rand.Reader)
	if err != nil {
		return err
	}
	code, err := wire.NewMemberCode(keys.Derive(seed), "member").Link()
	if err != nil {
		return err
	}
	os.Args = append([]string{"weir", "manager", "admit", code, "--dir", args[0], "--db"}, append(args[1:], "")[0])
	main()
	return nil
}

// expanded WORDS prints the 64-byte secret key that other BEP-44 clients want,
// and the public one, of the words that weir keys words --json printed.
func expanded(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: expanded WORDS")
	}
	b, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	var v struct {
		Words []string `json:"words"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	seed, err := keys.FromWords(strings.Join(v.Words, " "))
	if err != nil {
		return err
	}
	id := keys.Derive(seed)
	h := sha512.Sum512(id.Publish.Seed())
	h[0] &= 248
	h[31] = h[31]&127 | 64
	public := id.Public()
	return json.NewEncoder(os.Stdout).Encode(map[string]string{"secret": hex.EncodeToString(h[:]), "key": hex.EncodeToString(public[:])})
}

// relocked DIRECTORY FILE locks a directory's key anew with the passphrase in a
// file, so that it opens with hardly any work: what a script then says of opening it
// does not take it a second each time.
func relocked(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: relocked DIRECTORY FILE")
	}
	b, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	passphrase, _, _ := strings.Cut(string(b), "\n")
	passphrase = strings.TrimSuffix(passphrase, "\r")
	f := host.Directory(args[0]).Key()
	seed, err := f.Read(func() (string, error) { return passphrase, nil })
	if err != nil {
		return err
	}
	f.WorkFactor = 4
	return f.Rewrite(seed, passphrase)
}
