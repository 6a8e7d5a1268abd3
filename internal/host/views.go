package host

import (
	"encoding/hex"
	"time"

	"weir/internal/lookup"
	"weir/ledger"
	"weir/ledger/wire"
	"weir/manager"
	"weir/member"
)

// The views are what commands print with --json: ids in full hex, amounts as
// decimal strings, times RFC 3339 in UTC. Their keys are a contract.

// AccountView is one account.
type AccountView struct {
	Account   uint64 `json:"account"`
	Name      string `json:"name"`
	Key       string `json:"key"`
	Balance   string `json:"balance"`
	Lower     string `json:"lower"`
	Upper     string `json:"upper"`
	Unit      string `json:"unit"`
	Suspended bool   `json:"suspended"`
	Entries   uint64 `json:"entries"` // its newest number
	Admitted  string `json:"admitted"`
}

func viewAccount(c *wire.Charter, a ledger.Account) AccountView {
	return AccountView{
		Account: a.Number, Name: a.Name, Key: hex.EncodeToString(a.Key[:]),
		Balance: ledger.FormatAmount(a.Balance, c.Scale), Lower: ledger.FormatAmount(a.Limits.Lower, c.Scale),
		Upper: ledger.FormatAmount(a.Limits.Upper, c.Scale), Unit: c.Unit,
		Suspended: a.Suspended, Entries: a.Last, Admitted: viewMillis(a.Admitted),
	}
}

// MemberView is one member as its manager sees it.
type MemberView struct {
	AccountView
	Seen    string   `json:"seen,omitempty"`       // when something signed by it was last met
	Quiet   bool     `json:"quiet,omitempty"`      // that was more than two weeks ago
	Own     bool     `json:"own_limits,omitempty"` // they are not those of the charter
	Earlier []string `json:"earlier_names,omitempty"`
	Contact string   `json:"contact,omitempty"` // how its owner is reached; the manager alone knows
	Holders int      `json:"holders"`           // DHT nodes of the 8 closest that held its outbox when last looked up
	Short   bool     `json:"short"`             // no node answered for it at the last poll
	Problem string   `json:"problem,omitempty"`
	OldKey  bool     `json:"at_old_key,omitempty"` // it has not met the newest succession yet
}

// PostingView is one posting of a transfer.
type PostingView struct {
	Account uint64 `json:"account"`
	Name    string `json:"name"`
	Amount  string `json:"amount"`
}

// EntryView is one entry of the log.
type EntryView struct {
	Index    uint64        `json:"index"`
	Time     string        `json:"time"`
	Account  uint64        `json:"account"`
	Name     string        `json:"name"`
	Number   uint64        `json:"number"`
	Kind     string        `json:"kind"`
	Verdict  string        `json:"verdict"`
	Postings []PostingView `json:"postings,omitempty"`
	Memo     string        `json:"memo,omitempty"`
	Target   uint64        `json:"target,omitempty"` // whom an act concerns
	Lower    string        `json:"lower,omitempty"`
	Upper    string        `json:"upper,omitempty"`
	Called   string        `json:"called,omitempty"` // the new name
	Key      string        `json:"key,omitempty"`    // the new key, hex
	Reason   string        `json:"reason,omitempty"`
}

func viewEntry(st *ledger.State, d ledger.Decided) EntryView {
	e := d.Entry
	scale := st.Charter.Scale
	v := EntryView{
		Index: d.Index, Time: viewMillis(e.Time), Account: e.Account, Name: nameOf(st, e.Account),
		Number: e.Number, Kind: e.Kind.String(), Verdict: e.Verdict.String(),
	}
	var change *wire.Change
	if d.Body != nil {
		change, _ = wire.ParseChange(d.Body.Change)
	}
	switch e.Kind {
	case wire.KindTransfer:
		if t, err := wire.ParseTransferEffect(e.Effect); err == nil && e.Verdict == wire.Applied {
			v.Postings = viewPostings(st, t.Postings)
		}
		if change != nil {
			if t, err := wire.ParseTransfer(change.Args); err == nil {
				v.Memo = t.Memo
			}
		}
	case wire.KindAdmit:
		if a, err := wire.ParseAdmitEffect(e.Effect); err == nil {
			v.Target, v.Lower, v.Upper = a.Account, ledger.FormatAmount(a.Limits.Lower, scale), ledger.FormatAmount(a.Limits.Upper, scale)
		}
	case wire.KindLimit:
		if a, err := wire.ParseLimitEffect(e.Effect); err == nil {
			v.Target, v.Lower, v.Upper = a.Account, ledger.FormatAmount(a.Limits.Lower, scale), ledger.FormatAmount(a.Limits.Upper, scale)
		}
	case wire.KindRename:
		if n, err := wire.ParseRenameEffect(e.Effect); err == nil {
			v.Target, v.Called = n.Account, n.Name
		}
	case wire.KindRekey:
		if k, err := wire.ParseRekeyEffect(e.Effect); err == nil {
			v.Target, v.Key = k.Account, hex.EncodeToString(k.Key[:])
		}
	case wire.KindSucceed:
		if s, err := wire.ParseSucceedEffect(e.Effect); err == nil && e.Verdict == wire.Applied {
			v.Key = hex.EncodeToString(s.Manager[:])
		}
	case wire.KindSuspend, wire.KindResume:
		if a, err := wire.ParseAccountEffect(e.Effect); err == nil {
			v.Target = a.Account
		}
		if change != nil {
			if s, err := wire.ParseSuspend(change.Args); err == nil {
				v.Reason = s.Reason
			}
		}
	}
	return v
}

func viewPostings(st *ledger.State, ps []wire.Posting) []PostingView {
	var out []PostingView
	for _, p := range ps {
		out = append(out, PostingView{Account: p.Account, Name: nameOf(st, p.Account), Amount: ledger.FormatAmount(p.Amount, st.Charter.Scale)})
	}
	return out
}

func nameOf(st *ledger.State, number uint64) string {
	if number == 0 {
		return "manager"
	}
	a, _ := st.Account(number)
	return a.Name
}

// PollView is how a cycle's poll went.
type PollView struct {
	Keys       int    `json:"keys"`       // members, open invitations, the own head
	Answers    [3]int `json:"answers"`    // keys with no, one, and two or more fresh answers
	Newer      int    `json:"newer"`      // keys with something new
	Short      int    `json:"short"`      // keys with fewer than two fresh answers
	Walked     int    `json:"walked"`     // keys whose holders were looked up
	Stale      int    `json:"stale"`      // answers without what is known
	Invalid    int    `json:"invalid"`    // answers with an item that is not valid
	Packets    int    `json:"packets"`    // sent to remembered holders
	Background int    `json:"background"` // packets sent to look holders up
	BytesOut   int64  `json:"bytes_out"`
	BytesIn    int64  `json:"bytes_in"`
	P50MS      int64  `json:"p50_ms"` // until a key had its second fresh answer
	P90MS      int64  `json:"p90_ms"`
	P99MS      int64  `json:"p99_ms"`
}

func viewPoll(r lookup.PollReport) PollView {
	return PollView{
		Keys: r.Keys, Answers: r.Answers, Newer: r.Newer, Short: r.Short(), Walked: r.Walked, Stale: r.Stale, Invalid: r.Invalid,
		Packets: r.Packets, Background: r.Background, BytesOut: r.BytesOut, BytesIn: r.BytesIn,
		P50MS: r.P50.Milliseconds(), P90MS: r.P90.Milliseconds(), P99MS: r.P99.Milliseconds(),
	}
}

// CycleView is one cycle of a manager.
type CycleView struct {
	Cycle     uint64   `json:"cycle"`
	Phase     string   `json:"phase"`
	Started   string   `json:"started,omitempty"`
	Polled    int      `json:"polled"`
	Answered  int      `json:"answered"`
	Short     int      `json:"short"`
	Packets   int      `json:"packets"`
	Admitted  int      `json:"admitted"`
	Requested int      `json:"requested,omitempty"` // to join, and wait for approval since
	Accepted  int      `json:"accepted"`
	Refused   int      `json:"refused"`
	Poll      PollView `json:"poll"`
	PollMS    int64    `json:"poll_ms"`
	MergeMS   int64    `json:"merge_ms"`
	PublishMS int64    `json:"publish_ms"`
	HeadNodes int      `json:"head_nodes"`
	LogSize   uint64   `json:"log_size"`
	Sum       string   `json:"sum"`
	Problem   string   `json:"problem,omitempty"`
}

// ViewCycle makes a report printable; scale is the charter's.
func ViewCycle(r manager.Report, scale int) CycleView {
	return CycleView{
		Cycle: r.Cycle, Phase: string(r.Phase), Started: viewTime(r.Started), Polled: r.Polled, Answered: r.Answered, Short: r.Short, Packets: r.Packets,
		Admitted: r.Admitted, Requested: r.Requested, Accepted: r.Accepted, Refused: r.Refused, Poll: viewPoll(r.Polling),
		PollMS: r.Poll.Milliseconds(), MergeMS: r.Merge.Milliseconds(), PublishMS: r.Publish.Milliseconds(),
		HeadNodes: r.HeadNodes, LogSize: r.LogSize, Sum: ledger.FormatAmount(r.Sum, scale), Problem: r.Problem,
	}
}

// ManagerStatusView is weir manager status.
type ManagerStatusView struct {
	HealthView
	Running     bool         `json:"running"`         // a manager runs on the directory
	Moved       string       `json:"moved,omitempty"` // where the directory was moved to, and what follows
	Phase       string       `json:"phase"`
	Problem     string       `json:"problem,omitempty"`
	ID          string       `json:"id"`
	Name        string       `json:"name"`
	Encrypted   bool         `json:"encrypted,omitempty"`
	Link        string       `json:"link"`
	Entries     uint64       `json:"entries"`
	LogSize     uint64       `json:"log_size"` // of the Merkle tree: the charter is leaf 0
	Root        string       `json:"root"`
	Length      uint64       `json:"length"`
	Members     int          `json:"members"`
	Accepted    uint64       `json:"accepted"`
	Refused     uint64       `json:"refused"`
	Dismissed   int          `json:"dismissed"`
	Sum         string       `json:"sum"`
	Unit        string       `json:"unit"`
	Invitations int          `json:"invitations_open"`
	Approval    bool         `json:"approval,omitempty"` // who joins by an invitation is approved by a person
	Requests    int          `json:"requests_waiting"`
	HeadSeq     int64        `json:"head_seq"`
	HeadTime    string       `json:"head_time,omitempty"`
	HeadPut     bool         `json:"head_acknowledged"`
	Reachable   bool         `json:"reachable"` // torrent peers have reached this machine
	Nodes       int          `json:"nodes"`     // DHT nodes known
	Cycle       *CycleView   `json:"cycle,omitempty"`
	Stalled     []MemberView `json:"stalled,omitempty"`
	OldKey      int          `json:"members_at_old_key,omitempty"` // that have not met the newest succession yet
	Alike       []AlikeView  `json:"alike,omitempty"`              // lately admitted, with a name that may be taken for another's
	Evidence    int          `json:"evidence,omitempty"`           // pairs of signed contradictions that are held
}

// MemberStatusView is weir member status.
type MemberStatusView struct {
	HealthView
	Running    bool         `json:"running"` // an agent runs on the directory
	Phase      string       `json:"phase"`
	ID         string       `json:"id"`
	Name       string       `json:"name"`
	Encrypted  bool         `json:"encrypted,omitempty"`
	Joining    string       `json:"joining,omitempty"`          // asking, member, taken, expired
	Approval   bool         `json:"approval,omitempty"`         // the manager, a person, decides who joins
	Request    int          `json:"request_nodes,omitempty"`    // that acknowledged the request to join
	Unanswered uint64       `json:"unanswered_heads,omitempty"` // that the manager has published since without admitting
	Account    *AccountView `json:"account,omitempty"`
	Entries    uint64       `json:"entries"`
	LogSize    uint64       `json:"log_size"` // of the Merkle tree: the charter is leaf 0
	Newest     uint64       `json:"newest_log_size"`
	Root       string       `json:"root"`
	Length     uint64       `json:"length"`
	HeadTime   string       `json:"head_time,omitempty"`
	HeadAge    int64        `json:"head_age_seconds"`
	Stale      bool         `json:"stale"`
	Answered   string       `json:"dht_answered,omitempty"` // when a DHT node last did
	Waiting    int          `json:"waiting"`
	Handed     uint64       `json:"handed"`
	Nodes      int          `json:"outbox_nodes"` // that acknowledged the outbox
	Received   int64        `json:"bytes_downloaded"`
	Source     string       `json:"source,omitempty"`
	Torrents   int          `json:"torrents_fetched,omitempty"` // that entries came from, since the start
	Serving    int          `json:"serving"`
	Reachable  bool         `json:"reachable"`
	Known      int          `json:"nodes"`              // DHT nodes known
	Evidence   int          `json:"evidence,omitempty"` // pairs of signed contradictions that are held
	Warnings   []string     `json:"warnings,omitempty"`
	warned     []member.Warning
	Reason     string   `json:"reason,omitempty"`       // why following stopped for good
	Problem    string   `json:"problem,omitempty"`      // what keeps the log here from being the newest
	Other      string   `json:"other_device,omitempty"` // what another device did with this key
	Trouble    string   `json:"trouble,omitempty"`      // what keeps changes from being handed over
	Ignored    string   `json:"ignored,omitempty"`      // what is known of a request to join that has no answer
	Dropped    []string `json:"dropped,omitempty"`      // sources that did not verify

	Replaced *ReplacedView `json:"manager_replaced,omitempty"` // none: the manager has the keys of the charter
	Untaken  *UntakenView  `json:"untaken,omitempty"`
}

func viewMember(st *ledger.State, s member.MemberStatus) MemberStatusView {
	v := MemberStatusView{
		Phase: string(s.Phase), ID: s.ID.String(), Name: s.Name, Joining: string(s.Joining), Request: s.Request,
		Entries: EntriesOf(s.Size), LogSize: s.Size, Newest: s.Newest, Root: s.Root.String(), Length: s.Length,
		HeadTime: viewTime(s.Head), HeadAge: int64(s.Age.Seconds()), Stale: s.Stale, Answered: viewTime(s.Checked),
		Waiting: s.Waiting, Handed: s.Handed, Nodes: s.Nodes, Received: s.Got, Source: s.Source, Torrents: s.Torrents,
		Serving: s.Serving, Warnings: s.Warnings(), warned: s.Warned(),
		Reason: s.Reason, Problem: s.Problem, Other: s.Foreign, Trouble: s.Trouble, Dropped: s.Dropped,
		Replaced: viewReplaced(s.Status), Untaken: viewUntaken(s.Untaken),
	}
	if st == nil {
		return v
	}
	v.Encrypted, v.Approval = st.Charter.Encrypted, st.Charter.Approval
	if s.Account != nil {
		if a, ok := st.Account(s.Account.Number); ok {
			view := viewAccount(st.Charter, a)
			v.Account = &view
		}
	}
	return v
}

// EntriesOf is how many entries a log of some size has: its first leaf is the
// charter, and no entry. A log of no size is yet to be found.
func EntriesOf(size uint64) uint64 { return max(size, 1) - 1 }

func viewTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func viewMillis(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
}
