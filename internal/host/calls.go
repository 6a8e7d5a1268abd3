package host

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"time"

	"weir/keys"
	"weir/ledger"
)

// memberCalls is every call by name.
var memberCalls = map[string]func(*Agent, context.Context, Request) (any, error){
	"member status":    seated((*Agent).status),
	"member balance":   seated((*Agent).balance),
	"member statement": seated((*Agent).statement),
	"member show":      seated((*Agent).showChange),
	"member members":   seated((*Agent).memberList),
	"member receipt":   seated((*Agent).receipt),
	"member quote":     seated((*Agent).quote),
	"member pay":       seated((*Agent).pay),
	"member outbox":    seated((*Agent).outbox),
	"member raw":       seated((*Agent).raw),
	"member cancel":    seated((*Agent).cancel),
	"member takeover":  seated((*Agent).takeOver),
	"member audit":     seated((*Agent).audit),
	"member log":       seated((*Agent).log),
	"member evidence":  seated((*Agent).evidence),
	"member snapshot":  (*Agent).snapshot,
	"member wait":      (*Agent).wait,
	"member fresh":     (*Agent).fresh,
	"member admitted":  (*Agent).admitted,
	"member adopted":   (*Agent).adopted,
	"member adoption":  seated((*Agent).adoption),
	"member join":      (*Agent).join,
}

// seated runs a call on the loop with its seat and its decoded input.
func seated[T any](f func(*Agent, *seat, T) (any, error)) func(*Agent, context.Context, Request) (any, error) {
	return func(a *Agent, ctx context.Context, r Request) (any, error) {
		in, err := read[T](r.In)
		if err != nil {
			return nil, err
		}
		return a.on(ctx, r.DB, func(s *seat) (any, error) { return f(a, s, in) })
	}
}

// read decodes a call's input; none is the zero value.
func read[T any](raw json.RawMessage) (in T, err error) {
	if len(raw) == 0 {
		return in, nil
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return in, misread("this weir is of another version than the one that asks, and what it asks does not read: end this one and start it again: %v", err)
	}
	return in, nil
}

// nothing is the input of calls that need none.
type nothing struct{}

func (a *Agent) status(s *seat, _ nothing) (any, error) {
	now := time.Now()
	v, err := a.standing(s, now)
	v.Backup, v.Written = a.cfg.Dir.backedUp(), a.cfg.Dir.Written()
	v.judge(now)
	return v, err
}

// standing is how things stand with a seat.
func (a *Agent) standing(s *seat, now time.Time) (MemberStatusView, error) {
	if s.role == nil {
		offline, err := s.desk.Status()
		s.asked(&offline, now)
		v := viewMember(s.store.State(), offline)
		v.Evidence, v.Disk = held(s.store), a.cfg.Dir.Disk(a.cfg.Network.Thrift.Disk)
		return v, err
	}
	var st *ledger.State
	if open := s.role.Store(); open != nil {
		st = open.State()
	}
	online := s.role.Status()
	s.asked(&online, now)
	v := viewMember(st, online)
	v.Evidence = held(s.role.Store())
	v.HealthView = a.watch.health(a.edges, a.cfg.Follow, online.Head)
	v.Running, v.Reachable, v.Known = true, a.edges.Swarm.Reached(), len(a.edges.Node.Nodes(nodesKept))
	if v.Metered || v.Traffic.Reached {
		v.Serving = 0
	}
	if v.ID == "" || st == nil {
		v.ID, v.Name = s.db.ID, s.db.Name
	}
	if v.Damage = s.rot.text(); v.Damage != "" {
		v.Warnings = append(v.Warnings, v.Damage)
	}
	if v.Unanswered, v.Ignored = s.unanswered(now); v.Ignored != "" {
		v.Warnings = append(v.Warnings, v.Ignored)
	}
	return v, nil
}

func (a *Agent) balance(s *seat, _ nothing) (any, error) {
	d, acc, err := s.own()
	if err != nil {
		return nil, err
	}
	v := BalanceView{AccountView: viewAccount(d.Store.State().Charter, acc), AsOf: asOf(d.Store)}
	if s.role != nil {
		if newest, here := s.role.Status().Newest, d.Store.State().Size; newest > here {
			v.Behind = newest - here
		}
	}
	return v, nil
}

// BalanceView is an account, and how new what is known of it is.
type BalanceView struct {
	AccountView
	AsOf   string `json:"as_of,omitempty"`          // time of the newest head that is here
	Behind uint64 `json:"entries_behind,omitempty"` // entries of the newest head known that are not here yet
}

// TakeOverView is the account that a device goes on with, and as of when it is known.
type TakeOverView struct {
	AccountView
	AsOf   string `json:"as_of,omitempty"` // time of the newest head that is here
	Newest bool   `json:"newest"`          // no newer one was found; false: nobody could be asked
	AdoptionView
}

func (a *Agent) takeOver(s *seat, _ nothing) (any, error) {
	d, err := s.books()
	if err != nil {
		return nil, err
	}
	kept, _, err := keeps(d)
	if err != nil {
		return nil, err
	}
	if s.role != nil {
		err = s.role.TakeOver()
	} else {
		err = d.TakeOver()
	}
	if err != nil {
		return nil, err
	}
	acc, err := d.Account()
	if err != nil {
		return nil, err
	}
	waiting, err := d.Waiting()
	if err != nil {
		return nil, err
	}
	v := TakeOverView{AccountView: viewAccount(d.Store.State().Charter, acc), AsOf: asOf(d.Store), AdoptionView: AdoptionView{After: acc.Last, Taken: []ChangeView{}, GivenUp: []ChangeView{}}}
	for _, r := range waiting { // the oldest first
		v.Own = r.Number
	}
	if len(waiting) > 0 { // all that waited goes on, or none of it
		kept = nil
	}
	for _, r := range kept {
		v.GivenUp = append(v.GivenUp, viewChange(d.Store.State(), r))
	}
	return v, nil
}

func (a *Agent) audit(s *seat, _ nothing) (any, error) {
	st := s.open()
	if st == nil {
		return nil, ErrNotInitialised
	}
	return audit(st, RoleMember)
}

func (a *Agent) log(s *seat, in LogIn) (any, error) {
	st := s.open()
	if st == nil {
		return nil, ErrNotInitialised
	}
	return viewLog(st, in)
}

// NewKey makes a seed from the system's randomness.
func NewKey() (keys.Seed, error) { return keys.NewSeed(rand.Reader) }
