package wire

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
)

func TestAnEntryIsRefusedWhenItContradictsItself(t *testing.T) {
	s := makeSample(t)
	for name, spoil := range map[string]func(e *Entry){
		"time negative":            func(e *Entry) { e.Time = -1 },
		"account too large":        func(e *Entry) { e.Account = IntMax + 1 },
		"number 0":                 func(e *Entry) { e.Number = 0 },
		"number too large":         func(e *Entry) { e.Number = IntMax + 1 },
		"kind of later":            func(e *Entry) { e.Kind = kinds },
		"verdict of later":         func(e *Entry) { e.Verdict = verdicts },
		"refused with effect":      func(e *Entry) { e.Verdict = BelowLowerLimit },
		"applied, unknown kind":    func(e *Entry) { e.Kind, e.Effect = KindUnknown, nil },
		"suspended, unknown kind":  func(e *Entry) { e.Kind, e.Verdict, e.Effect = KindUnknown, Suspended, nil },
		"unknown, of a known kind": func(e *Entry) { e.Verdict, e.Effect = UnknownKind, nil },
		"no effect":                func(e *Entry) { e.Effect = nil },
		"sweep with an effect":     func(e *Entry) { e.Kind = KindSweep },
		"effect of another kind":   func(e *Entry) { e.Kind = KindSuspend },
		"effect of one posting":    func(e *Entry) { e.Effect = TransferEffect{make([]Posting, 1)}.Encode() },
		"effect of 65 postings":    func(e *Entry) { e.Effect = TransferEffect{make([]Posting, 65)}.Encode() },
		"admitted as account 0": func(e *Entry) {
			e.Kind, e.Effect = KindAdmit, AdmitEffect{0, bob.Public(), bob.SealPublic(), "B", Limits{}}.Encode()
		},
		"admitted without a name": func(e *Entry) {
			e.Kind, e.Effect = KindAdmit, AdmitEffect{1, bob.Public(), bob.SealPublic(), "", Limits{}}.Encode()
		},
	} {
		e := *s.Entry
		spoil(&e)
		if _, err := e.Encode(); err == nil {
			t.Errorf("%s: it encodes", name)
		}
	}
	for _, v := range []Verdict{Expired, UnknownHistory, UnknownKind} {
		e := *s.Entry
		e.Kind, e.Verdict, e.Effect = KindUnknown, v, nil
		if _, err := e.Encode(); err != nil {
			t.Errorf("unknown kind, %v: %v", v, err)
		}
	}
}

func TestVerdictsAreStableWords(t *testing.T) {
	for v := range verdicts {
		back, err := ParseVerdict(v.String())
		if err != nil || back != v {
			t.Errorf("%d: %q, %v", v, v, err)
		}
	}
	if _, err := ParseVerdict("verdict(14)"); err == nil {
		t.Error("a verdict that is none")
	}
	if verdicts.String() != "verdict(14)" || Kind(200).String() != "kind(200)" || KindSweep.String() != "sweep" {
		t.Error("the words have changed")
	}
}

func TestAFrameIsRefusedWhenItContradictsItself(t *testing.T) {
	entry, box := make([]byte, 10), make([]byte, 50)
	sealed := func(entry, body int) Frame {
		return Frame{BodySealed, ReadKeyNumber, make([]byte, entry), make([]byte, body)}
	}
	for name, f := range map[string]Frame{
		"sealed, no key":   {State: BodySealed, Entry: box, Body: make([]byte, 60)},
		"key, plain":       {ReadKey: 1, Entry: box, Body: make([]byte, 60)},
		"key 2":            {State: BodySealed, ReadKey: 2, Entry: box, Body: make([]byte, 60)},
		"key 2, blanked":   {State: BodyBlanked, ReadKey: 2, Entry: box},
		"key, empty entry": sealed(40, 60),
		"key, long entry":  sealed(EntryBytesMax+41, 60),
		"key, no body":     sealed(50, 0),
		"key, only a salt": sealed(50, 40+bodySaltBytes),
		"key, long body":   sealed(50, BodyBytesMax+41),
		"key, blank short": {State: BodyBlanked, ReadKey: 1, Entry: box, Body: make([]byte, 56)},
		"key, blank full":  {State: BodyBlanked, ReadKey: 1, Entry: box, Body: append(make([]byte, 57), 1)},
		"state of later":   {State: 3, Entry: entry, Body: make([]byte, 20)},
		"no entry":         {Body: make([]byte, 20)},
		"entry too long":   {Entry: make([]byte, EntryBytesMax+1), Body: make([]byte, 20)},
		"no body":          {Entry: entry},
		"body of salt":     {Entry: entry, Body: make([]byte, bodySaltBytes)},
		"body too long":    {Entry: entry, Body: make([]byte, BodyBytesMax+1)},
		"blank and short":  {State: BodyBlanked, Entry: entry, Body: make([]byte, 3)},
		"blank, with body": {State: BodyBlanked, Entry: entry, Body: append(make([]byte, 20), 1)},
	} {
		b := []byte{Version, byte(f.State)}
		b = appendU16(b, int(f.ReadKey))
		b = appendU32(appendU32(b, uint32(len(f.Entry))), uint32(len(f.Body)))
		b = append(append(b, f.Entry...), f.Body...)
		if _, _, err := ParseFrame(b); err == nil || errors.Is(err, ErrShort) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestACheckpointIsASignedNoteThatOthersVerify(t *testing.T) {
	s := makeSample(t)
	log := manager.LogPublic()
	if !s.Checkpoint.Verify(s.ID, log) {
		t.Fatal("it does not verify")
	}
	v := must[note.Verifier](t)(note.NewVerifier(VerifierKey(s.ID, log)))
	n, err := note.Open(s.Checkpoint.Note(s.ID, log), note.VerifierList(v))
	if err != nil || n.Text != string(CheckpointText(s.ID, 5, s.Checkpoint.Root)) || v.Name() != Origin(s.ID) {
		t.Errorf("%+v, %v", n, err)
	}
	for name, c := range map[string]Checkpoint{
		"another size": {s.Checkpoint.Size + 1, s.Checkpoint.Root, s.Checkpoint.Sig},
		"another root": {s.Checkpoint.Size, s.Chain, s.Checkpoint.Sig},
		"no signature": {s.Checkpoint.Size, s.Checkpoint.Root, Signature{}},
		"size 0":       SignCheckpoint(s.ID, manager.Log, 0, Hash{}),
		"size 2^53":    SignCheckpoint(s.ID, manager.Log, 1<<53, Hash{}),
	} {
		if c.Verify(s.ID, log) {
			t.Errorf("%s: it verifies", name)
		}
		if _, err := ParseNote(s.ID, log, c.Note(s.ID, log)); err == nil {
			t.Errorf("%s: its note reads", name)
		}
	}
	if s.Checkpoint.Verify(ID{}, log) || s.Checkpoint.Verify(s.ID, bob.LogPublic()) {
		t.Error("it verifies for another database or log")
	}
}

func TestANoteMayCarryCosignaturesAndNothingElse(t *testing.T) {
	s := makeSample(t)
	log := manager.LogPublic()
	plain := s.Checkpoint.Note(s.ID, log)
	cosigned := append(bytes.Clone(plain), "— witness.example/w AAAAAAAAAAAAAAAA\n"...)
	if c, err := ParseNote(s.ID, log, cosigned); err != nil || c != s.Checkpoint {
		t.Errorf("%v", err)
	}
	text := string(CheckpointText(s.ID, 5, s.Checkpoint.Root))
	sign := func(text string) []byte {
		c := Checkpoint{Sig: Signature(ed25519.Sign(manager.Log, []byte(text)))}
		line := bytes.SplitAfter(c.Note(s.ID, log), []byte("\n\n"))[1]
		return append([]byte(text+"\n"), line...)
	}
	if _, err := ParseNote(s.ID, log, sign(text)); err != nil {
		t.Fatal(err)
	}
	for name, other := range map[string]string{
		"extension line":   text + "extra\n",
		"leading zero":     strings.Replace(text, "\n5\n", "\n05\n", 1),
		"signed size":      strings.Replace(text, "\n5\n", "\n+5\n", 1),
		"size beyond 2^53": strings.Replace(text, "\n5\n", "\n9007199254740992\n", 1),
		"short root":       strings.Replace(text, "=\n", "\n", 1),
		"other origin":     "x" + text,
		"two lines":        "weir\n5\n",
	} {
		if _, err := ParseNote(s.ID, log, sign(other)); err == nil {
			t.Errorf("%s: it reads", name)
		}
	}
	if _, err := ParseNote(s.ID, log, append(plain, make([]byte, noteBytesMax)...)); err == nil {
		t.Error("a note beyond its limit reads")
	}
}

func TestAHeadIsRefusedWhenItContradictsItself(t *testing.T) {
	s := makeSample(t)
	for name, spoil := range map[string]func(h *Head){
		"no checkpoint":        func(h *Head) { h.Checkpoint = Checkpoint{} },
		"size too large":       func(h *Head) { h.Checkpoint.Size = IntMax + 1 },
		"cycle too large":      func(h *Head) { h.Cycle = IntMax + 1 },
		"no stream":            func(h *Head) { h.Length, h.Chunks = 0, nil },
		"stream too long":      func(h *Head) { h.Length = IntMax + 1 },
		"time negative":        func(h *Head) { h.Time = -1 },
		"17 chunks":            func(h *Head) { h.Length, h.Chunks = 1e6, make([]Target, 17) },
		"more chunks than fit": func(h *Head) { h.Length, h.Chunks = 900, make([]Target, 2) },
		"5 older infohashes":   func(h *Head) { h.Older = [][20]byte{{1}, {2}, {3}, {4}, {5}} },
		"infohash of zero":     func(h *Head) { h.Older = [][20]byte{{}} },
		"part of a witness":    func(h *Head) { h.Witness = make([]byte, 75) },
		"four witnesses":       func(h *Head) { h.Witness = make([]byte, 4*76) },
	} {
		h := *s.Head
		spoil(&h)
		if _, err := h.Encode(); err == nil {
			t.Errorf("%s: it encodes", name)
		}
		if _, err := ParseHead(h.bytes()); err == nil {
			t.Errorf("%s: it decodes", name)
		}
	}
}
