package host

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"weir/keys"
	"weir/ledger/store"
	"weir/ledger/wire"
	"weir/manager"
	"weir/member"
)

// ofDatabase is what can be wrong with one database of a directory. What runs looks at
// most of it itself, and is asked.
func ofDatabase() []ailment {
	return []ailment{{
		name: "store_damaged", look: storeDamaged,
		means:  "the disk lost or changed what was written; nothing wrong is taken for right elsewhere, since everybody checks",
		remedy: "keep the directory as it is, and make a new one: with a backup, by weir restore FILE --dir NEW; without, by weir member restore LINK --dir NEW or weir manager recover LINK --dir NEW, with the 24 words of its key",
		covers: []string{"damaged"},
	}, {
		name: "key_of_another", look: keyOfAnother,
		means:  "the key file of this directory was exchanged: nothing can be signed in this database with it",
		remedy: "put the right key file back, or make it from its 24 words in a new directory",
	}, {
		name: "manager_old", look: managerOld,
		means:  "it was probably restored from an old copy; this manager publishes nothing, so that the database does not fork",
		remedy: "put the newest directory back or, if it is lost, rebuild this one from what is published",
		covers: []string{"refusing", "not_running"},
	}, {
		name: "manager_stopped", look: managerStopped,
		means:  "this manager publishes nothing, for good, so that the database does not fork",
		remedy: "end weir on both machines. On each, weir manager log --count 1 shows how long its log is: go on with the longer one alone, and leave this directory for good if it is not that. Where both have stopped, weir help recovery says what there is left",
		covers: []string{"stopped", "not_running"},
	}, {
		name: "other_device", look: otherDevice, fix: takeOverHere,
		means:  "what is signed here waits and is not handed over, since two devices with one key would sign under the same numbers",
		remedy: "switch the other device off for good, and say so here: this one takes over, with what the network has by then",
		asks:   "Is every other device with this key switched off for good? Then this one takes the account over",
		covers: []string{"other_device", "not_running"},
	}, {
		name: "restored_not_looked", look: restoredNotLooked,
		means:  "it may have forgotten changes that were signed since, and signs nothing before it has looked for them",
		remedy: "leave weir member run running until weir member status says that it has looked",
		covers: []string{"restored", "not_running"},
	}, {
		name: "takeover_begun", look: takeOverBegun, note: true,
		means:  "it first looks what the network has under your key, and signs nothing before",
		remedy: "leave weir member run running until weir member status says that it has looked",
		covers: []string{"restored", "not_running"},
	}, {
		name: "clock_behind", look: clockBehind,
		means:  "this computer's clock is wrong, or the manager's is",
		remedy: "set the clock right; most systems do it by themselves (NTP)",
		covers: []string{"clock"},
	}, {
		name: "clock_ahead", look: clockAhead,
		means:  "either nobody ran this manager for so long, or this computer's clock is wrong; an entry with a wrong time cannot be taken back, so nothing is taken before somebody has looked",
		remedy: "look at the clock. If it is right, start the manager and say so: weir manager clock accept",
		covers: []string{"held"},
	}, {
		name: "clock_was_ahead", look: clockWasAhead,
		means:  "something was signed here while this computer's clock was wrong; the numbers of what follows go on from there, so nothing is lost and nothing is to be done, once the clock is right",
		remedy: "see that the clock is right now", note: true,
	}, {
		name: "invitation_expired", look: invitationExpired,
		means:  "the manager had not taken the request to join when the invitation expired",
		remedy: "ask the manager for a new invitation, and weir member join by it",
		covers: []string{"invitation_expired", "asking"},
	}}
}

func storeDamaged(p *patient) (string, error) {
	if p.broken != nil {
		return Text(p.broken), nil
	}
	if p.store == nil {
		return "", nil
	}
	err := p.store.Scrub(func(int) error { return p.ctx.Err() })
	if errors.Is(err, store.ErrDamaged) {
		return Text(err), nil
	}
	return "", err
}

func keyOfAnother(p *patient) (string, error) {
	public, err := p.dir.Key().Public()
	if err != nil || p.store == nil {
		return "", nil // another ailment's
	}
	if p.db.Role == RoleManager {
		if of := p.store.State().Terms().Newest().Manager; of != public {
			return fmt.Sprintf("the database's manager is %s, and the key here is %s", of, public), nil
		}
		return "", nil
	}
	owner, err := member.Owner(p.store)
	if err != nil || owner == "" || owner == public.String() {
		return "", err
	}
	return fmt.Sprintf("the database was joined with %s, and the key here is %s", owner, public), nil
}

func managerOld(p *patient) (string, error) { return p.barred(false) }

func managerStopped(p *patient) (string, error) { return p.barred(true) }

// barred says why the manager may sign nothing: for good, or as an older copy. What
// to do then stands behind the first sentence, and in the remedy.
func (p *patient) barred(forGood bool) (string, error) {
	if p.store == nil || p.db.Role != RoleManager {
		return "", nil
	}
	d := &manager.Desk{Store: p.store}
	why, err := d.Stopped()
	if err != nil || forGood {
		return strings.TrimSuffix(why, "."), err
	}
	if why != "" {
		return "", nil
	}
	why, err = d.Barred()
	first, _, _ := strings.Cut(why, ". ")
	return first, err
}

// desk is a member's, that reads.
func (p *patient) desk(public keys.Public) *member.Desk {
	return &member.Desk{Store: p.store, Public: public, Now: func() time.Time { return p.now }}
}

func otherDevice(p *patient) (string, error) {
	if p.store == nil || p.db.Role != RoleMember {
		return "", nil
	}
	why, err := (&member.Desk{Store: p.store}).Foreign()
	if why != "" {
		why = fmt.Sprintf("%v: %s", member.ErrOtherDevice, why)
	}
	return why, err
}

func takeOverHere(p *patient) (string, error) {
	public, err := p.dir.Key().Public()
	if err == nil {
		err = p.desk(public).WillTakeOver()
	}
	return "this device takes the account over" + takesOver, err
}

func restoredNotLooked(p *patient) (string, error) {
	if p.store == nil || p.db.Role != RoleMember {
		return "", nil
	}
	why, takesOver, ok, err := (&member.Desk{Store: p.store}).Restored()
	if err != nil || !ok || takesOver {
		return "", err
	}
	return "this directory was restored from " + why, nil
}

func takeOverBegun(p *patient) (string, error) {
	if p.store == nil || p.db.Role != RoleMember {
		return "", nil
	}
	_, takesOver, _, err := (&member.Desk{Store: p.store}).Restored()
	if err != nil || !takesOver {
		return "", err
	}
	return "this device has begun to take the account over, and has not looked on the network yet", nil
}

// clockOff is how much a clock may differ: what a head's time says is no closer.
const clockOff = time.Hour

func clockBehind(p *patient) (string, error) {
	if p.store == nil {
		return "", nil
	}
	head := manager.SignedHead
	if p.db.Role == RoleMember {
		head = member.SignedHead
	}
	it, ok, err := head(p.store)
	if err != nil || !ok {
		return "", err
	}
	h, err := wire.ParseHead(it.Value)
	if err != nil {
		return "", nil // an audit says so
	}
	if at := time.UnixMilli(h.Time); at.Sub(p.now) > clockOff {
		return fmt.Sprintf("this computer's clock says %s, and the newest head that the manager signed is of %s, later than that",
			p.now.UTC().Format("2006-01-02 15:04"), at.UTC().Format("2006-01-02 15:04")), nil
	}
	return "", nil
}

func clockAhead(p *patient) (string, error) {
	if p.store == nil || p.db.Role != RoleManager {
		return "", nil
	}
	return (&manager.Desk{Store: p.store, Now: func() time.Time { return p.now }}).ClockAhead(), nil
}

func clockWasAhead(p *patient) (string, error) {
	if p.store == nil || p.db.Role != RoleMember {
		return "", nil
	}
	seq, err := member.OutboxSeq(p.store)
	if at := time.UnixMilli(seq); err == nil && at.Sub(p.now) > clockOff {
		return fmt.Sprintf("the newest outbox was signed when this computer's clock said %s, and now it says %s",
			at.UTC().Format("2006-01-02 15:04"), p.now.UTC().Format("2006-01-02 15:04")), nil
	}
	return "", err
}

func invitationExpired(p *patient) (string, error) {
	j, err := p.db.joined()
	if p.db.Role != RoleMember || err != nil || j.Invitation == nil || p.runs || p.now.Before(j.Invitation.Expires) {
		return "", nil
	}
	if p.store != nil {
		if public, err := p.dir.Key().Public(); err != nil {
			return "", nil
		} else if _, in := p.store.State().ByKey(public); in {
			return "", nil
		}
	}
	return "the invitation that this database was joined by expired on " + j.Invitation.Expires.Local().Format("2006-01-02 15:04"), nil
}
