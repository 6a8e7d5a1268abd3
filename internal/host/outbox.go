package host

import (
	"encoding/base64"
	"encoding/hex"

	"weir/ledger/wire"
)

// OutboxView is what waits to be handed over.
type OutboxView struct {
	Waiting []ChangeView `json:"waiting"`
	Nodes   int          `json:"nodes"`                  // DHT nodes that acknowledged the outbox
	Other   string       `json:"other_device,omitempty"` // as in ShowView
}

func (a *Agent) outbox(s *seat, _ nothing) (any, error) {
	d, err := s.books()
	if err != nil {
		return nil, err
	}
	all, other, err := keeps(d)
	if err != nil {
		return nil, err
	}
	v := OutboxView{Waiting: []ChangeView{}, Other: other}
	for _, r := range all {
		v.Waiting = append(v.Waiting, viewChange(d.Store.State(), r))
	}
	if s.role != nil {
		v.Nodes = s.role.Status().Nodes
	}
	return v, nil
}

// RawView is the outbox as any BEP-44 client can put it.
type RawView struct {
	Key    string   `json:"key"`
	Salt   string   `json:"salt"`
	Seq    int64    `json:"seq"`
	Value  string   `json:"value"` // bencoded, base64
	Sig    string   `json:"sig"`
	Target string   `json:"target"`
	Chunks []string `json:"chunks"` // bencoded values of immutable items, base64
}

func (a *Agent) raw(s *seat, _ nothing) (any, error) {
	d, err := s.books()
	if err != nil {
		return nil, err
	}
	r, err := d.Raw()
	if err != nil {
		return nil, err
	}
	key := d.Identity.Public()
	target := wire.MutableTarget(key, r.Salt)
	v := RawView{
		Key: hex.EncodeToString(key[:]), Salt: hex.EncodeToString(r.Salt), Seq: r.Seq, Sig: hex.EncodeToString(r.Sig[:]),
		Value: base64.StdEncoding.EncodeToString(r.Value), Target: target.String(), Chunks: []string{},
	}
	for _, c := range r.Chunks {
		v.Chunks = append(v.Chunks, base64.StdEncoding.EncodeToString(c.Value))
	}
	return v, nil
}

func (a *Agent) cancel(s *seat, in NumberIn) (any, error) {
	d, err := s.books()
	if err != nil {
		return nil, err
	}
	r, err := d.Result(in.Number)
	if err != nil {
		return nil, err
	}
	if r.Index != 0 {
		return nil, refused("change %d is in the log already, as entry %d, and stays there; what was paid, only the other one can pay back", in.Number, r.Index)
	}
	if s.role != nil {
		err = s.role.Cancel(in.Number)
	} else {
		err = d.Cancel(in.Number)
	}
	return viewChange(d.Store.State(), r), err
}
