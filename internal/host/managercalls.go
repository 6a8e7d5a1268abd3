package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"weir/internal/control"
	"weir/ledger"
	"weir/manager"
)

// Invoke runs a command by name; it has the shape of control.Handler.
func (m *Manager) Invoke(ctx context.Context, name string, in json.RawMessage) (out any, err error) {
	r, err := read[Request](in)
	if err != nil {
		return nil, err
	}
	if r.DB != "" && r.DB != m.db.ID {
		return nil, &control.Error{Code: CodeNotFound, Text: fmt.Sprintf("the manager that runs here runs %s, not %s", m.db.ID, r.DB)}
	}
	f, ok := managerCalls[name]
	if !ok {
		return nil, &control.Error{Code: CodeUsage, Text: fmt.Sprintf("the manager that runs here knows no %q: is it an older weir?", name)}
	}
	if name == "manager audit" || name == "manager snapshot" {
		out, err = f(m, r.In) // reads only what is committed, for minutes
		return out, Coded(err)
	}
	if name == "manager invite" || name == "manager revoke" { // without the key, too
		if err := m.dir.Live(); err != nil {
			return nil, err
		}
	}
	if callErr := m.loop.Call(ctx, func() { out, err = f(m, r.In) }); callErr != nil {
		return nil, callErr
	}
	return out, Coded(err)
}

// managerCalls is every call by name.
var managerCalls = map[string]func(*Manager, json.RawMessage) (any, error){
	"manager status": func(m *Manager, _ json.RawMessage) (any, error) {
		v, err := m.status()
		v.Backup, v.Written = m.dir.backedUp(), m.dir.Written()
		v.Moved = m.dir.movedText()
		v.judge(time.Now())
		return v, err
	},
	"manager members":     func(m *Manager, _ json.RawMessage) (any, error) { return m.members() },
	"manager rename":      call((*Manager).rename),
	"manager contact":     call((*Manager).contact),
	"manager suspend":     call((*Manager).suspend),
	"manager resume":      call((*Manager).resume),
	"manager limit":       call((*Manager).limit),
	"manager log":         call((*Manager).log),
	"manager audit":       func(m *Manager, _ json.RawMessage) (any, error) { return m.audit() },
	"manager snapshot":    func(m *Manager, _ json.RawMessage) (any, error) { return m.snapshot() },
	"manager evidence":    func(m *Manager, _ json.RawMessage) (any, error) { return m.evidence() },
	"manager invite":      call((*Manager).invite),
	"manager invite all":  call((*Manager).inviteAll),
	"manager invitations": call((*Manager).invitations),
	"manager revoke":      call((*Manager).revoke),
	"manager revoke open": call((*Manager).revokeOpen),
	"manager requests":    func(m *Manager, _ json.RawMessage) (any, error) { return m.requests() },
	"manager approve":     call((*Manager).approve),
	"manager reject":      call((*Manager).reject),
	"manager admit":       call((*Manager).admit),
	"manager rekey":       call((*Manager).rekey),
	"manager link":        call(func(m *Manager, in LinkIn) (any, error) { return m.link(in) }),
	"manager clock":       func(m *Manager, _ json.RawMessage) (any, error) { return m.clock() },
}

// call decodes a call's input.
func call[H any, T any](f func(H, T) (any, error)) func(H, json.RawMessage) (any, error) {
	return func(h H, in json.RawMessage) (any, error) {
		v, err := read[T](in)
		if err != nil {
			return nil, err
		}
		return f(h, v)
	}
}

func (m *Manager) status() (ManagerStatusView, error) {
	st := m.store.State()
	v := ManagerStatusView{
		Phase: "offline", ID: st.ID.String(), Name: st.Charter.Name, Encrypted: st.Charter.Encrypted, Entries: EntriesOf(st.Size), LogSize: st.Size, Root: st.Root.String(), Length: st.Length,
		Members: st.Members(), Accepted: st.Accepted, Refused: st.Refused, Unit: st.Charter.Unit,
		Sum: ledger.FormatAmount(st.Sum(), st.Charter.Scale), Evidence: held(m.store),
	}
	v.Alike = alikeSince(st, m.desk.Now().Add(-quietAfter))
	link, err := m.link(LinkIn{})
	if err != nil {
		return v, err
	}
	v.Link, v.Approval = link.Link, st.Charter.Approval
	if m.role == nil {
		waiting, err := m.desk.Requests()
		if err != nil {
			return v, err
		}
		v.Requests = len(waiting)
		v.Disk = m.dir.Disk(m.room)
		if v.Problem, err = m.desk.Barred(); v.Problem != "" {
			v.Phase = string(manager.Refusing)
			if why, _ := m.desk.Stopped(); why != "" {
				v.Phase = string(manager.Stopped)
			}
		}
		return v, err
	}
	s := m.role.Status()
	var signed time.Time
	if s.Head != nil {
		signed = time.UnixMilli(s.Head.Time)
	}
	v.HealthView = m.watch.health(m.edges, m.every, signed)
	v.Damage = m.rot.text()
	v.Running, v.Phase, v.Problem = true, string(s.Phase), s.Reason
	if v.Problem == "" {
		v.Problem = v.Damage
	}
	if v.Problem == "" {
		v.Problem = s.Last.Problem
	}
	v.Requests, v.OldKey = s.Requests, s.Earlier
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
		stalled, err := m.viewMember(l)
		if err != nil {
			return v, err
		}
		v.Stalled = append(v.Stalled, stalled)
	}
	return v, nil
}

func (m *Manager) kick() {
	if m.role != nil {
		m.role.Kick()
	}
}

// LinkView is a link and its kind.
type LinkView struct {
	ID   string `json:"id"`
	Link string `json:"link"`
}

// LinkIn asks for the link of the database.
type LinkIn struct {
	ReadKey bool `json:"read_key,omitempty"` // with the read key: whoever has it can read an encrypted database
}

func (m *Manager) link(in LinkIn) (LinkView, error) {
	l := m.desk.Link(m.bootstrap())
	if in.ReadKey && l.ReadKey == nil {
		return LinkView{}, misread("the database is not encrypted, so there is no read key: its public link is enough to read it")
	}
	if !in.ReadKey {
		l.ReadKey = nil
	}
	text, err := l.Link()
	return LinkView{ID: l.ID.String(), Link: text}, err
}

// bootstrapMax is how many addresses a link carries at most.
const bootstrapMax = 4

// bootstrap is the addresses that links carry: those the manager was given
// when it was founded on a network of its own.
func (m *Manager) bootstrap() []netip.AddrPort {
	return m.db.Bootstrap[:min(len(m.db.Bootstrap), bootstrapMax)]
}

func (m *Manager) audit() (any, error) {
	v, err := audit(m.store, RoleManager)
	if err == nil && !v.OK && m.rot != nil {
		m.rot.found(v.Findings[0])
	}
	return v, err
}

func (m *Manager) clock() (any, error) {
	if m.role == nil {
		return nil, errors.New("no manager runs here; start it first, it then says whether the clock is a problem")
	}
	return map[string]string{"accepted": viewTime(time.Now())}, m.role.AcceptClock()
}
