package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	"weir/internal/host"
	"weir/keys"
)

// ahead DIRECTORY DAYS TO AMOUNT AMOUNT pays twice from a member's directory by a clock
// that is so many days ahead of ours: the first payment is handed over to the DHT, the
// second is only signed.
func ahead(args []string) error {
	if len(args) != 5 {
		return errors.New("usage: ahead DIRECTORY DAYS TO AMOUNT AMOUNT")
	}
	days, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	dir := host.Directory(args[0])
	db, err := dir.Choose("", host.RoleMember)
	if err != nil {
		return err
	}
	seed, err := dir.Key().Read(nil)
	if err != nil {
		return err
	}
	cfg := host.AgentConfig{
		Dir: dir, Databases: []host.Database{db}, Identity: keys.Derive(seed), Follow: 200 * time.Millisecond, Online: true,
		Ahead: time.Duration(days) * 24 * time.Hour,
	}
	cfg.Network.Bootstrap = strings.Split(os.Getenv("WEIR_BOOTSTRAP"), ",")
	ctx := context.Background()
	pay := func(amount string, seen bool) error {
		a, err := host.OpenAgent(ctx, cfg)
		if err != nil {
			return err
		}
		var v host.ChangeView
		in, err := json.Marshal(host.QuoteIn{To: args[2], Amount: amount})
		if err == nil {
			var raw json.RawMessage
			if raw, err = json.Marshal(host.Request{In: in}); err == nil {
				var out any
				if out, err = a.Invoke(ctx, "member pay", raw); err == nil {
					err = copyJSON(out, &v)
				}
			}
		}
		if err == nil && seen {
			err = a.Wait(ctx, "member wait", host.WaitIn{Number: v.Number, Seen: true}, lookFor)
		}
		return errors.Join(err, a.Close())
	}
	if err := pay(args[3], true); err != nil {
		return err
	}
	cfg.Online = false
	return pay(args[4], false)
}
