package wire

import (
	"reflect"
	"testing"
)

func TestEveryFormatReadsBackWhatWasWritten(t *testing.T) {
	s := makeSample(t)
	same := func(name string, got any, err error, want any) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, not %+v", name, got, want)
		}
	}
	charter, err := ParseCharter(s.Charter)
	same("charter", charter, err, sampleCharter())
	encrypted := sampleCharter()
	encrypted.Encrypted = true
	charter, err = ParseCharter(s.Sealed.Charter)
	same("charter", charter, err, encrypted)
	change, err := ParseChange(s.Change)
	same("change", change, err, &Change{"transfer", s.Args, s.Admitted.Seen(), day + 86400000})
	window, err := OpenWindow(s.Keys, s.Outbox)
	same("outbox", window, err, s.Window)
	chunk, err := OpenChunk(s.Keys, s.Chunk)
	same("chunk", chunk, err, s.Message[:100])
	m, n, err := ParseMessage(s.Message)
	same("message", m, err, Message{s.Change, s.Entry.Sig})
	same("message length", n, nil, len(s.Message))
	entry, err := ParseEntry(must[[]byte](t)(s.Entry.Encode()))
	same("entry", entry, err, s.Entry)
	f, n, err := ParseFrame(s.Stream())
	same("frame", f, err, Frame{BodyBlanked, 0, s.Charter, []byte{}})
	same("frame length", n, nil, len(s.Frames[0]))
	f, _, err = ParseFrame(s.Frames[3])
	same("frame", f.Body, err, s.Body.Encode())
	f, _, err = ParseFrame(s.Sealed.Frames[3])
	same("sealed frame", []any{f.State, f.ReadKey, len(f.Body)}, err, []any{BodySealed, uint16(1), len(s.Body.Encode()) + 40})
	f, err = OpenFrame(f, s.Sealed.ID, s.Sealed.offset(3), s.Sealed.ReadKey)
	same("sealed frame", f, err, s.Sealed.Plain[3])
	head, err := ParseHead(must[[]byte](t)(s.Head.Encode()))
	same("head", head, err, s.Head)
	succession, err := ParseSuccession(must[[]byte](t)(s.Succession.Encode()))
	same("succession", succession, err, s.Succession)
	state, err := ParseStateFile(must[[]byte](t)(s.State.Encode()))
	same("state", state, err, s.State)
	for _, l := range []interface{ Link() (string, error) }{s.Link, s.Invitation, s.Code, s.Answer, s.Sealed.Link, s.Sealed.Invitation, s.Sealed.Answer} {
		link, err := ParseLink(must[string](t)(l.Link()))
		same("link", link, err, l)
	}
	request, err := OpenJoinRequest(s.JoinValue, manager)
	same("join request", request, err, s.Request)
	outgrows, err := ParseEvidence(must[[]byte](t)(s.Outgrows.Encode()))
	same("evidence of growth", outgrows, err, s.Outgrows)
	for _, e := range []*Evidence{s.Evidence, s.Contradicts} {
		got, err := ParseEvidence(must[[]byte](t)(e.Encode()))
		if err != nil || got.Kind != e.Kind {
			t.Errorf("evidence: %+v, %v", got, err)
		}
	}
	info, err := ParseInfo(s.NewestInfo)
	same("newest", info, err, &Info{ID: s.ID, Newest: true, Tail: uint64(len(s.Stream())), State: 117, Pieces: s.NewestInfo[len(s.NewestInfo)-21 : len(s.NewestInfo)-1]})
	info, err = ParseInfo(s.VolumeInfo)
	same("volume", info, err, &Info{ID: s.ID, Number: 7, Tail: 40000, Pieces: s.VolumeInfo[len(s.VolumeInfo)-61 : len(s.VolumeInfo)-1]})
	note, err := ParseNote(s.ID, manager.LogPublic(), s.Checkpoint.Note(s.ID, manager.LogPublic()))
	same("note", note, err, s.Checkpoint)
}
