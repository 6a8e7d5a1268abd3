package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"os"
	"regexp"
	"strings"
	"time"

	"weir/internal/host"
	"weir/internal/lookup"
	"weir/internal/mainline"
	"weir/keys"
	"weir/ledger/wire"
)

// intruder plays whoever wishes a database ill, with a DHT node of its own:
//
//	intruder outbox DIRECTORY ID WHAT   puts garbage or a dict into the outbox of the key of a directory
//	intruder replay RAW                 puts what weir member outbox --raw --json once printed
//	intruder packets OUTPUT             sends hostile packets to what says there that it is listening
func intruder(args []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), lookFor)
	defer cancel()
	switch {
	case len(args) == 4 && args[0] == "outbox":
		return forgeOutbox(ctx, args[1], args[2], args[3])
	case len(args) == 2 && args[0] == "replay":
		return replay(ctx, args[1])
	case len(args) == 2 && args[0] == "packets":
		return sendPackets(args[1])
	}
	return errors.New("usage: intruder outbox DIRECTORY ID garbage|dict, replay RAW, or packets OUTPUT")
}

// putItem puts an item, and says whether what became of it is as it should be.
func putItem(ctx context.Context, it lookup.Item, good func(lookup.Stored) bool) error {
	n, err := mainline.Open(ctx, mainline.Config{Listen: "127.0.0.1:0", Bootstrap: strings.Split(os.Getenv("WEIR_BOOTSTRAP"), ",")})
	if err != nil {
		return err
	}
	defer n.Close()
	done := make(chan lookup.Stored, 1)
	n.Put(lookup.Put{Item: it}, func(s lookup.Stored) { done <- s })
	select {
	case s := <-done:
		if !good(s) {
			return fmt.Errorf("%d nodes took it, and others refused: %v; %v", s.Acknowledged, s.Refused, s.Err)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func forgeOutbox(ctx context.Context, dir, id, what string) error {
	database, err := host.ParseID(id)
	if err != nil {
		return err
	}
	seed, err := host.Directory(dir).Key().Read(func() (string, error) { return "", errors.New("it has a passphrase") })
	if err != nil {
		return err
	}
	value := make([]byte, 300)
	rand.Read(value)
	value = append([]byte("300:"), value...)
	if what == "dict" {
		value = []byte("d1:ai1e1:bl4:weiree")
	}
	it, err := lookup.Sign(keys.Derive(seed).Publish, database.Salt(), time.Now().Add(time.Minute).UnixMilli(), value)
	if err != nil {
		return err
	}
	return putItem(ctx, it, func(s lookup.Stored) bool { return s.Acknowledged > 0 })
}

func replay(ctx context.Context, file string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var raw host.RawView
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	it := lookup.Item{Mutable: true, Seq: raw.Seq}
	key, err := hex.DecodeString(raw.Key)
	if err != nil {
		return err
	}
	sig, err := hex.DecodeString(raw.Sig)
	if err != nil {
		return err
	}
	if it.Salt, err = hex.DecodeString(raw.Salt); err != nil {
		return err
	}
	if it.Value, err = base64.StdEncoding.DecodeString(raw.Value); err != nil {
		return err
	}
	it.Key, it.Sig = keys.Public(key), wire.Signature(sig)
	it.Target = wire.MutableTarget(it.Key, it.Salt)
	// A change is accepted as soon as one node has brought it to the manager: the
	// item may still be on its way to some, which then take the older one until it comes.
	return putItem(ctx, it, func(s lookup.Stored) bool { return s.Refused[lookup.CodeSeqTooLow] > 4 })
}

// hostilePackets are those that ended a node which did not look first
// (internal/mainline has a test for each), and some of other sorts.
var hostilePackets = []string{
	"d1:q3:put1:t2:aa1:y1:qe",
	"d1:q13:announce_peer1:t2:aa1:y1:qe",
	"d1:ade1:q3:put1:t2:aa1:y1:qe",
	"d2:ip0:1:rd2:id20:aaaaaaaaaaaaaaaaaaaae1:t2:aa1:y1:re",
	"d2:ip1:a1:rd2:id20:aaaaaaaaaaaaaaaaaaaae1:t2:aa1:y1:re",
	"d1:rd2:id20:aaaaaaaaaaaaaaaaaaaa6:valuesl0:1:aee1:t2:aa1:y1:re",
	"d1:rd2:id20:aaaaaaaaaaaaaaaaaaaa1:k32:kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk3:sig64:" + strings.Repeat("s", 64) + "1:v1:xe1:t2:aa1:y1:re",
	"d1:ad2:id20:aaaaaaaaaaaaaaaaaaaa6:target2:bbe1:q3:get1:t2:aa1:y1:qe",
	"d1:t2:aa1:y1:qe", "d1:y1:ze", "de", "", "i1e", "l", strings.Repeat("l", 1400), strings.Repeat("d1:a", 350),
	"d1:ad2:id99999999999999999999:e1:q4:ping1:t2:aa1:y1:qe",
}

// sendPackets sends them all, and each with bytes changed.
func sendPackets(file string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	at := regexp.MustCompile(`listening on (\S+:[0-9]+)`).FindSubmatch(b)
	if at == nil {
		return fmt.Errorf("%s does not say where it listens", file)
	}
	conn, err := net.Dial("udp", string(at[1]))
	if err != nil {
		return err
	}
	defer conn.Close()
	r := mathrand.New(mathrand.NewPCG(1, 2))
	for range 50 {
		for _, p := range hostilePackets {
			if _, err := conn.Write([]byte(p)); err != nil {
				return err
			}
			spoilt := []byte(p)
			for range 1 + len(p)/40 {
				if len(p) > 0 {
					spoilt[r.IntN(len(p))] = byte(r.Uint32())
				}
			}
			if _, err := conn.Write(spoilt); err != nil {
				return err
			}
		}
	}
	return nil
}
