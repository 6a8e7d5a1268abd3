package host

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"time"

	"weir/internal/control"
	"weir/internal/loop"
	"weir/internal/sign"
	"weir/keys"
	"weir/ledger"
	"weir/ledger/store"
	"weir/ledger/wire"
	"weir/manager"
)

// Manager is a manager on real edges, or, without edges, a desk on a store.
type Manager struct {
	dir   Directory
	db    Database
	store *store.Store
	desk  *manager.Desk
	loop  *loop.Loop
	stop  context.CancelFunc
	ended chan struct{}
	edges *Edges           // nil: no network
	role  *manager.Manager // nil: no network
}

// ManagerConfig opens a Manager.
type ManagerConfig struct {
	Dir      Directory
	Database Database
	Identity *keys.Identity
	Network  Network
	Role     manager.Config // OnCycle is called on the manager's loop
	Logf     func(format string, args ...any)
}

// OpenDesk opens the store alone: for commands while no manager runs.
func OpenDesk(c ManagerConfig) (*Manager, error) {
	id, err := ParseID(c.Database.ID)
	if err != nil {
		return nil, err
	}
	disk, err := store.OS(c.Dir.Store(id))
	if err != nil {
		return nil, err
	}
	s, err := store.Open(disk, store.Options{})
	if err != nil {
		return nil, err
	}
	m := &Manager{dir: c.Dir, db: c.Database, store: s, loop: loop.New(), ended: make(chan struct{})}
	m.desk = &manager.Desk{Store: s, Identity: c.Identity, Random: rand.Reader, Now: time.Now}
	if c.Identity != nil {
		if err := m.desk.Check(); err != nil {
			s.Close()
			return nil, fmt.Errorf("open the manager: %w", err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	m.stop = cancel
	go func() { defer close(m.ended); m.loop.Run(ctx) }()
	return m, nil
}

// OpenManager opens everything and starts the cycles.
func OpenManager(ctx context.Context, c ManagerConfig) (*Manager, error) {
	m, err := OpenDesk(c)
	if err != nil {
		return nil, err
	}
	if m.edges, err = c.Network.Open(ctx, c.Dir, c.Database.Bootstrap, m.loop.Post); err != nil {
		m.Close()
		return nil, err
	}
	dht := m.edges.Node.Post(m.loop.Post)
	m.role, err = manager.New(m.store, c.Identity, c.Role, manager.Ports{
		DHT: dht, Poller: dht, Swarm: m.edges.Swarm, Clock: m.loop, Random: rand.Reader, Verify: sign.ZIP215{},
	})
	if err != nil {
		m.Close()
		return nil, err
	}
	m.desk = &m.role.Desk
	m.edges.Swarm.Meet(wire.MeetInfohash(m.store.State().ID))
	m.loop.Post(m.role.Start)
	return m, nil
}

// Edges is the open network; nil for a desk.
func (m *Manager) Edges() *Edges { return m.edges }

// Close stops the role, the edges and the store, in this order.
func (m *Manager) Close() error {
	if m.role != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		m.loop.Call(ctx, m.role.Stop)
		cancel()
	}
	m.stop()
	<-m.ended
	if m.edges != nil {
		m.edges.Close()
	}
	return m.store.Close()
}

// Invoke runs a command by name; it has the shape of control.Handler.
func (m *Manager) Invoke(ctx context.Context, name string, in json.RawMessage) (out any, err error) {
	var r Request
	if err := json.Unmarshal(in, &r); err != nil {
		return nil, &control.Error{Code: CodeUsage, Text: "the call does not read: " + err.Error()}
	}
	if r.DB != "" && r.DB != m.db.ID {
		return nil, &control.Error{Code: CodeNotFound, Text: fmt.Sprintf("the manager that runs here runs %s, not %s", m.db.ID, r.DB)}
	}
	f, ok := managerCalls[name]
	if !ok {
		return nil, &control.Error{Code: CodeUsage, Text: fmt.Sprintf("the manager that runs here knows no %q: is it an older weir?", name)}
	}
	if name == "manager audit" {
		return f(m, r.In) // reads only what is committed, for minutes
	}
	if callErr := m.loop.Call(ctx, func() { out, err = f(m, r.In) }); callErr != nil {
		return nil, callErr
	}
	return out, Coded(err)
}

// Coded gives an error that crosses the control socket its exit code.
func Coded(err error) error {
	if err == nil {
		return nil
	}
	var own *control.Error
	if errors.As(err, &own) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &control.Error{Code: Code(err), Text: err.Error()}
}

// managerCalls is every call by name.
var managerCalls = map[string]func(*Manager, json.RawMessage) (any, error){
	"manager status":      func(m *Manager, _ json.RawMessage) (any, error) { return m.status() },
	"manager members":     func(m *Manager, _ json.RawMessage) (any, error) { return m.members(), nil },
	"manager suspend":     call((*Manager).suspend),
	"manager resume":      call((*Manager).resume),
	"manager limit":       call((*Manager).limit),
	"manager log":         call((*Manager).log),
	"manager audit":       func(m *Manager, _ json.RawMessage) (any, error) { return m.audit() },
	"manager invite":      call((*Manager).invite),
	"manager invitations": func(m *Manager, _ json.RawMessage) (any, error) { return m.invitations() },
	"manager revoke":      call((*Manager).revoke),
	"manager admit":       call((*Manager).admit),
	"manager link":        func(m *Manager, _ json.RawMessage) (any, error) { return m.link() },
	"manager clock":       func(m *Manager, _ json.RawMessage) (any, error) { return m.clock() },
}

// call decodes a call's input.
func call[H any, T any](f func(H, T) (any, error)) func(H, json.RawMessage) (any, error) {
	return func(h H, in json.RawMessage) (any, error) {
		var v T
		if err := json.Unmarshal(in, &v); err != nil {
			return nil, &control.Error{Code: CodeUsage, Text: "the call does not read: " + err.Error()}
		}
		return f(h, v)
	}
}

// Stopped says why the manager has stopped for good; "" when it has not.
func (m *Manager) Stopped() (why string, err error) {
	callErr := m.loop.Call(context.Background(), func() { why, err = m.desk.Stopped() })
	return why, errors.Join(callErr, err)
}

func (m *Manager) status() (ManagerStatusView, error) {
	st := m.store.State()
	v := ManagerStatusView{
		Phase: "offline", ID: st.ID.String(), Name: st.Charter.Name, LogSize: st.Size, Root: st.Root.String(), Length: st.Length,
		Members: st.Members(), Accepted: st.Accepted, Refused: st.Refused, Unit: st.Charter.Unit,
		Sum: ledger.FormatAmount(st.Sum(), st.Charter.Scale),
	}
	link, err := m.link()
	if err != nil {
		return v, err
	}
	v.Link = link.Link
	if m.role == nil {
		if v.Problem, err = m.desk.Stopped(); v.Problem != "" {
			v.Phase = string(manager.Stopped)
		}
		return v, err
	}
	s := m.role.Status()
	v.Running, v.Phase, v.Problem = true, string(s.Phase), s.Reason
	if v.Problem == "" {
		v.Problem = s.Last.Problem
	}
	v.Dismissed, v.Invitations, v.HeadSeq, v.HeadPut = s.Dismissed, s.Invitations, s.HeadSeq, s.HeadDone
	if s.Head != nil {
		v.HeadTime = viewMillis(s.Head.Time)
	}
	v.Reachable, v.Nodes = m.edges.Swarm.Reached(), len(m.edges.Node.Nodes(nodesKept))
	if !s.Last.Started.IsZero() {
		c := ViewCycle(s.Last, st.Charter.Scale)
		v.Cycle = &c
	}
	for _, l := range s.Stalled {
		v.Stalled = append(v.Stalled, m.viewMember(l))
	}
	return v, nil
}

func (m *Manager) viewMember(l manager.MemberStatus) MemberView {
	return MemberView{
		AccountView: viewAccount(m.store.State().Charter, l.Account),
		Seen:        viewTime(l.Seen), Holders: l.Holders, Short: l.Short, Problem: l.Problem,
	}
}

func (m *Manager) members() []MemberView {
	out := []MemberView{}
	if m.role != nil {
		for _, l := range m.role.Members() {
			out = append(out, m.viewMember(l))
		}
		return out
	}
	for _, a := range m.store.State().Accounts() {
		if a.Number != 0 {
			out = append(out, m.viewMember(manager.MemberStatus{Account: a}))
		}
	}
	return out
}

// findAccount finds an account by number, name, key or member code.
func findAccount(st *ledger.State, who string) (ledger.Account, error) {
	var n uint64
	if _, err := fmt.Sscanf(who, "%d", &n); err == nil && fmt.Sprint(n) == who {
		if a, ok := st.Account(n); ok && n != 0 {
			return a, nil
		}
		return ledger.Account{}, fmt.Errorf("%w: there is no account %d; there are 1 to %d", ErrNotFound, n, st.Members())
	}
	if a, ok := st.ByName(who); ok {
		return a, nil
	}
	k, err := keys.ParsePublic(who)
	if b, hexErr := hex.DecodeString(who); hexErr == nil && len(b) == len(k) {
		k, err = keys.Public(b), nil
	}
	if err == nil {
		if a, ok := st.ByKey(k); ok && a.Number != 0 {
			return a, nil
		}
	}
	if l, err := wire.ParseLink(who); err == nil {
		if c, ok := l.(wire.MemberCode); ok {
			if a, ok := st.ByKey(c.Key); ok && a.Number != 0 {
				return a, nil
			}
			return ledger.Account{}, fmt.Errorf("%w: the owner of this code is not a member here", ErrNotFound)
		}
	}
	return ledger.Account{}, fmt.Errorf("%w: no member is called %q in the log as it stands here", ErrNotFound, who)
}

// ActIn is the input of suspend, resume and limit.
type ActIn struct {
	Who    string `json:"who"`
	Reason string `json:"reason,omitempty"`
	Lower  string `json:"lower,omitempty"` // "" leaves it
	Upper  string `json:"upper,omitempty"`
}

func (m *Manager) suspend(in ActIn) (any, error) {
	return m.act(in, func(a ledger.Account) (ledger.Decided, error) {
		if a.Suspended {
			return ledger.Decided{}, refused("%d %s is suspended already; nothing was done", a.Number, a.Name)
		}
		return m.desk.Suspend(a.Number, in.Reason)
	})
}

func (m *Manager) resume(in ActIn) (any, error) {
	return m.act(in, func(a ledger.Account) (ledger.Decided, error) {
		if !a.Suspended {
			return ledger.Decided{}, refused("%d %s is not suspended; nothing was done", a.Number, a.Name)
		}
		return m.desk.Resume(a.Number, in.Reason)
	})
}

func (m *Manager) limit(in ActIn) (any, error) {
	scale := m.store.State().Charter.Scale
	return m.act(in, func(a ledger.Account) (ledger.Decided, error) {
		limits := a.Limits
		var err error
		if in.Lower != "" {
			if limits.Lower, err = ledger.ParseAmount(in.Lower, scale); err != nil {
				return ledger.Decided{}, misread("--lower: %v", err)
			}
		}
		if in.Upper != "" {
			if limits.Upper, err = ledger.ParseAmount(in.Upper, scale); err != nil {
				return ledger.Decided{}, misread("--upper: %v", err)
			}
		}
		return m.desk.Limit(a.Number, limits)
	})
}

func (m *Manager) act(in ActIn, do func(ledger.Account) (ledger.Decided, error)) (any, error) {
	a, err := findAccount(m.store.State(), in.Who)
	if err != nil {
		return nil, err
	}
	d, err := do(a)
	if err != nil {
		return nil, err
	}
	m.kick()
	return viewEntry(m.store.State(), d), nil
}

func (m *Manager) kick() {
	if m.role != nil {
		m.role.Kick()
	}
}

// LogIn asks for a page of the log, oldest first.
type LogIn struct {
	First uint64 `json:"first"` // leaf; 0: so that the newest Count are left
	Count int    `json:"count"` // at most PageMax come; 0: PageMax
}

// PageMax is how many entries an answer has at most, so that it fits through the
// control socket whatever is in them. Whoever wants more asks for the next page.
const PageMax = 1000

func (m *Manager) log(in LogIn) (any, error) { return viewLog(m.store, in) }

func viewLog(s *store.Store, in LogIn) ([]EntryView, error) {
	if in.Count <= 0 {
		in.Count = PageMax
	}
	st := s.State()
	if in.First == 0 && st.Size > uint64(in.Count) {
		in.First = st.Size - uint64(in.Count)
	}
	out := []EntryView{}
	err := s.Entries(max(in.First, 1), func(d ledger.Decided) bool {
		out = append(out, viewEntry(st, d))
		return len(out) < min(in.Count, PageMax)
	})
	return out, err
}

// InviteIn makes an invitation.
type InviteIn struct {
	Seconds int64 `json:"seconds"`
}

func (m *Manager) invite(in InviteIn) (any, error) {
	i, err := m.desk.Invite(time.Duration(in.Seconds) * time.Second)
	if err != nil {
		return nil, err
	}
	link, err := wire.Invitation{DatabaseLink: m.desk.Link(m.bootstrap()), Secret: i.Secret, Expires: i.Expires}.Link()
	if err != nil {
		return nil, err
	}
	m.kick()
	v := viewInvitation(m.store.State(), i, time.Now())
	v.Link = link
	return v, nil
}

func (m *Manager) invitations() (any, error) {
	all, err := m.desk.Invitations()
	if err != nil {
		return nil, err
	}
	out := []InvitationView{}
	for _, i := range all {
		out = append(out, viewInvitation(m.store.State(), i, time.Now()))
	}
	return out, nil
}

// RevokeIn names an invitation.
type RevokeIn struct {
	ID string `json:"id"`
}

func (m *Manager) revoke(in RevokeIn) (any, error) {
	i, err := m.desk.Revoke(in.ID)
	if err != nil {
		return nil, err
	}
	return viewInvitation(m.store.State(), i, time.Now()), nil
}

// AdmitIn admits by a member code.
type AdmitIn struct {
	Code string `json:"code"`
}

// AdmitView is the new account and the answer for its owner.
type AdmitView struct {
	AccountView
	Answer string `json:"answer"`
}

func (m *Manager) admit(in AdmitIn) (any, error) {
	l, err := wire.ParseLink(in.Code)
	if err != nil {
		return nil, err
	}
	code, ok := l.(wire.MemberCode)
	if !ok {
		return nil, misread("this is not a member code: a member makes one with weir member code")
	}
	a, err := m.desk.AdmitCode(code, nil)
	if err != nil {
		return nil, err
	}
	m.kick()
	answer, err := wire.Answer{DatabaseLink: m.desk.Link(m.bootstrap()), Account: a.Number}.Link()
	if err != nil {
		return nil, err
	}
	return AdmitView{AccountView: viewAccount(m.store.State().Charter, a), Answer: answer}, nil
}

// LinkView is a link and its kind.
type LinkView struct {
	ID   string `json:"id"`
	Link string `json:"link"`
}

func (m *Manager) link() (LinkView, error) {
	st := m.store.State()
	text, err := wire.DatabaseLink{ID: st.ID, Digest: st.Digest.Prefix(), Bootstrap: m.bootstrap()}.Link()
	return LinkView{ID: st.ID.String(), Link: text}, err
}

// bootstrap is the addresses that links carry: those the manager was given
// when it was founded on a network of its own.
func (m *Manager) bootstrap() []netip.AddrPort {
	return m.db.Bootstrap[:min(len(m.db.Bootstrap), 4)]
}

func (m *Manager) audit() (any, error) {
	return audit(m.store, RoleManager)
}

func (m *Manager) clock() (any, error) {
	if m.role == nil {
		return nil, errors.New("no manager runs here; start it first, it then says whether the clock is a problem")
	}
	return map[string]string{"accepted": viewTime(time.Now())}, m.role.AcceptClock()
}

// CharterLink is the public link of a database that is yet to be founded: the
// charter fixes it.
func CharterLink(charter *wire.Charter, bootstrap []netip.AddrPort) (LinkView, error) {
	b, err := charter.Encode()
	if err != nil {
		return LinkView{}, err
	}
	id := wire.CharterID(b)
	text, err := wire.DatabaseLink{ID: id, Digest: wire.CharterDigest(b).Prefix(), Bootstrap: bootstrap}.Link()
	return LinkView{ID: id.String(), Link: text}, err
}

// Found writes a new database into the directory, or leaves nothing of it there.
func Found(d Directory, charter *wire.Charter, bootstrap []netip.AddrPort) (_ Database, err error) {
	b, err := charter.Encode()
	if err != nil {
		return Database{}, err
	}
	id := wire.CharterID(b)
	if _, none := os.Lstat(d.Store(id)); errors.Is(none, fs.ErrNotExist) {
		defer func() {
			if err != nil {
				err = errors.Join(err, os.RemoveAll(d.Store(id)))
			}
		}()
	}
	disk, err := store.OS(d.Store(id))
	if err != nil {
		return Database{}, err
	}
	s, err := store.Create(disk, b, store.Options{})
	if err != nil {
		return Database{}, errors.Join(err, disk.Close())
	}
	if err := s.Close(); err != nil {
		return Database{}, err
	}
	db := Database{ID: hex.EncodeToString(id[:]), Name: charter.Name, Role: RoleManager, Bootstrap: bootstrap}
	return db, d.Save(db)
}

// Scale is the database's decimal places.
func (m *Manager) Scale() int { return m.store.State().Charter.Scale }

// Kick begins a cycle now, or as soon as the one under way is over.
func (m *Manager) Kick() { m.loop.Post(m.kick) }

// Broken is store.ErrBroken once a write failed so that the store has to be
// opened again; whoever runs the manager closes it and opens it anew.
func (m *Manager) Broken() error { return broken(m.store) }

func broken(s *store.Store) error {
	if _, _, err := s.Get("host/alive"); errors.Is(err, store.ErrBroken) {
		return err
	}
	return nil
}
