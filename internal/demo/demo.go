package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"weir/internal/control"
	"weir/internal/host"
	"weir/internal/mainline"
	"weir/keys"
	"weir/ledger/wire"
	"weir/manager"
)

// Options of a run.
type Options struct {
	Members int // the three hostile ones among them
	Nodes   int // DHT nodes
	Cycles  int
	Dir     string                 // where everything lies; it is there already and empty
	Program string                 // the weir that the reader is a process of
	Note    func(text string)      // what happens, in words
	Cycle   func(c host.CycleView) // after each cycle
}

// Limits of the options.
const (
	MembersMin, MembersMax = 5, 200
	NodesMin, NodesMax     = 12, 1000
	CyclesMin, CyclesMax   = 1, 1000
)

// Summary is what a run comes to.
type Summary struct {
	Summary  bool    `json:"summary"`
	Kind     string  `json:"kind"`
	Cycles   int     `json:"cycles"`
	Members  int     `json:"members"`
	Nodes    int     `json:"nodes"`
	Accepted int     `json:"accepted"`
	Refused  int     `json:"refused"`
	Sum      string  `json:"sum"`
	Seconds  float64 `json:"seconds"`
	Reader   Reader  `json:"reader"`
	Dir      string  `json:"dir,omitempty"` // where everything is kept, if it is
	Cheats   []Cheat `json:"-"`
}

// Cheat is what a hostile member did, and what came of it.
type Cheat struct{ Name, Did, Came string }

// Reader is what the stranger found.
type Reader struct {
	LogSize  uint64 `json:"log_size"`
	Root     string `json:"root"`
	Received int64  `json:"bytes_downloaded"`
	Verified bool   `json:"verified"`
}

// run is one demo under way.
type run struct {
	Options
	ctx     context.Context
	network *mainline.Network
	link    string
	manager *host.Manager
	reports chan manager.Report
	agents  []*host.Agent
	hostile []*rogue
	choose  *rand.Rand
	sent    []payment
	balance []int64 // of the honest, once everything they sent is in the log
	summary Summary
}

const (
	scale      = 2
	unit       = "HRS"
	lower      = -100_00
	upper      = 1000_00
	hostileNum = 3
	setup      = time.Minute // everything that is waited for
)

// Run runs the demo. An error means that something was not as it has to be.
func Run(ctx context.Context, o Options) (Summary, error) {
	began := time.Now()
	r := newRun(ctx, o)
	defer r.close()
	for _, step := range []func() error{r.start, r.join, r.trade, r.settle, r.judge, r.read} {
		if err := step(); err != nil {
			return r.summary, err
		}
	}
	r.summary.Seconds = float64(time.Since(began).Milliseconds()) / 1000
	return r.summary, nil
}

func newRun(ctx context.Context, o Options) *run {
	return &run{
		Options: o, ctx: ctx, reports: make(chan manager.Report, 1), choose: rand.New(rand.NewPCG(1, 2)),
		balance: make([]int64, o.Members-hostileNum),
		summary: Summary{Summary: true, Kind: string(wire.KindLedger), Members: o.Members, Nodes: o.Nodes},
	}
}

func (r *run) close() {
	for _, h := range r.hostile {
		h.node.Close()
	}
	var g errgroup.Group
	for _, a := range r.agents {
		if a != nil {
			g.Go(a.Close)
		}
	}
	g.Wait()
	if r.manager != nil {
		r.manager.Close()
	}
	if r.network != nil {
		r.network.Close()
	}
}

func (r *run) bootstrap() []string {
	var out []string
	for _, a := range r.addresses() {
		out = append(out, a.String())
	}
	return out
}

func (r *run) addresses() []netip.AddrPort { return r.network.Bootstrap(3) }

// start starts the DHT and founds the database.
func (r *run) start() error {
	var err error
	if r.network, err = mainline.StartNetwork(r.ctx, r.Nodes); err != nil {
		return err
	}
	r.Note(fmt.Sprintf("A private DHT of %d nodes runs on this machine's loopback.", r.Nodes))
	dir := host.Directory(filepath.Join(r.Dir, "manager"))
	id, err := newKey(dir)
	if err != nil {
		return err
	}
	recovery, err := host.NewKey()
	if err != nil {
		return err
	}
	db, err := host.Found(dir, &wire.Charter{
		Kind: wire.KindLedger, Name: "Demo", Created: time.Now().UnixMilli(), Unit: unit, Scale: scale, Lower: lower, Upper: upper,
		Quota: 1000, Heartbeat: 4 * 3600, Stale: 24 * 3600,
		Manager: id.Public(), Log: id.LogPublic(), Seal: id.SealPublic(), Recovery: keys.Derive(recovery).Public(),
	}, id, r.addresses())
	if err != nil {
		return err
	}
	r.manager, err = host.OpenManager(r.ctx, host.ManagerConfig{
		Dir: dir, Database: db, Identity: id, Network: host.Network{Bootstrap: r.bootstrap()},
		Role: manager.Config{Cycle: 24 * time.Hour, OnCycle: func(rep manager.Report) { r.reports <- rep }},
	})
	if err != nil {
		return err
	}
	if _, err := r.report(); err != nil { // the first cycle: nothing is published before it
		return err
	}
	if _, err := r.cycle(); err != nil {
		return err
	}
	var v host.LinkView
	if err := invoke(r.ctx, r.manager.Invoke, "manager link", nil, &v); err != nil {
		return err
	}
	r.link = v.Link
	r.Note(fmt.Sprintf("A manager founded the database %s…: a ledger in %s, %d.00 to %d.00 a member. (Keys here are not encrypted.)", v.ID[:8], unit, lower/100, upper/100))
	return nil
}

// newKey makes the key of a directory, in the open.
func newKey(d host.Directory) (*keys.Identity, error) {
	if err := d.Make(); err != nil {
		return nil, err
	}
	seed, err := host.NewKey()
	if err != nil {
		return nil, err
	}
	return keys.Derive(seed), d.Key().Create(seed, "")
}

// report waits for the cycle under way.
func (r *run) report() (manager.Report, error) {
	select {
	case rep := <-r.reports:
		return rep, nil
	case <-r.ctx.Done():
		return manager.Report{}, r.ctx.Err()
	}
}

// cycle runs one whole cycle of the manager.
func (r *run) cycle() (manager.Report, error) {
	r.manager.Kick()
	return r.report()
}

// invoke runs a call of a role that lives in this process.
func invoke(ctx context.Context, f control.Handler, name string, in, out any) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(host.Request{In: b})
	if err != nil {
		return err
	}
	answer, err := f(ctx, name, raw)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if out == nil {
		return nil
	}
	if b, err = json.Marshal(answer); err != nil {
		return err
	}
	return json.Unmarshal(b, out)
}

// join lets everybody in: the honest by invitation, the hostile by hand.
func (r *run) join() error {
	for i := range hostileNum {
		h, err := newRogue(r.ctx, r.bootstrap(), r.link, rogueNames[i], mischief[i])
		if err != nil {
			return err
		}
		r.hostile = append(r.hostile, h)
		var v host.AdmitView
		if err := invoke(r.ctx, r.manager.Invoke, "manager admit", host.AdmitIn{Code: h.code}, &v); err != nil {
			return err
		}
		h.account = v.Account
		if _, err := r.report(); err != nil { // admitting begins a cycle
			return err
		}
	}
	honest := r.Members - hostileNum
	r.agents = make([]*host.Agent, honest)
	links := make([]string, honest)
	for i := range links {
		var v host.InvitationView
		if err := invoke(r.ctx, r.manager.Invoke, "manager invite", host.InviteIn{Seconds: 3600}, &v); err != nil {
			return err
		}
		links[i] = v.Link
		if _, err := r.report(); err != nil { // so does inviting
			return err
		}
	}
	g, ctx := errgroup.WithContext(r.ctx)
	g.SetLimit(8)
	for i, link := range links {
		g.Go(func() (err error) {
			r.agents[i], err = openAgent(r.ctx, filepath.Join(r.Dir, fmt.Sprintf("member-%02d", i+1)), link, memberName(i), r.bootstrap())
			if err != nil {
				return err
			}
			return r.agents[i].Wait(ctx, "member admitted", host.AdmittedIn{Asked: true}, setup)
		})
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("join: %w", err)
	}
	for joined := 0; joined < honest; {
		rep, err := r.cycle()
		if err != nil {
			return err
		}
		joined += rep.Admitted
	}
	for _, a := range r.agents {
		if err := a.Wait(r.ctx, "member admitted", host.AdmittedIn{}, setup); err != nil {
			return fmt.Errorf("join: %w", err)
		}
	}
	r.Note(fmt.Sprintf("%d members joined: %d by invitation, and three who mean no good: %s overspends, %s replays, %s forges.",
		r.Members, honest, rogueNames[0], rogueNames[1], rogueNames[2]))
	return nil
}

func openAgent(ctx context.Context, dir, link, name string, bootstrap []string) (*host.Agent, error) {
	d := host.Directory(dir)
	id, err := newKey(d)
	if err != nil {
		return nil, err
	}
	db, err := d.Prepare(host.JoinIn{Link: link, Name: name})
	if err != nil {
		return nil, err
	}
	return host.OpenAgent(ctx, host.AgentConfig{
		Dir: d, Databases: []host.Database{db}, Identity: id, Online: true, Follow: time.Second,
		Network: host.Network{Bootstrap: bootstrap},
	})
}

// read starts a stranger: another process with an empty directory that has only
// the public link.
func (r *run) read() error {
	dir := filepath.Join(r.Dir, "reader")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.ctx, setup)
	defer cancel()
	cmd := exec.CommandContext(ctx, r.Program, "verify", r.link, "--json", "--dir", dir, "--keep", filepath.Join(dir, "copy"), "--bootstrap", strings.Join(r.bootstrap(), ","))
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("the reader: %w: %s", err, strings.TrimSpace(errs.String()))
	}
	var v host.VerifyView
	if err := json.Unmarshal(out.Bytes(), &v); err != nil {
		return fmt.Errorf("the reader: %w", err)
	}
	r.summary.Reader = Reader{LogSize: v.LogSize, Root: v.Root, Received: v.Received, Verified: v.Verified}
	var own host.ManagerStatusView
	if err := invoke(r.ctx, r.manager.Invoke, "manager status", nil, &own); err != nil {
		return err
	}
	if !v.Verified || v.Root != own.Root || v.LogSize != own.LogSize {
		return fmt.Errorf("the reader has %d entries with root %s, the manager %d with %s", v.LogSize, v.Root, own.LogSize, own.Root)
	}
	return nil
}
