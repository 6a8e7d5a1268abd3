package manager

import (
	"fmt"

	"weir/ledger/store"
	"weir/ledger/wire"
)

// Barred says why this directory's manager may sign nothing: it has stopped for
// good, or was found to be an older copy when it last started; "" when it may.
func (d *Desk) Barred() (string, error) {
	why, err := d.Stopped()
	if err != nil || why != "" {
		return why, err
	}
	why, _, err = readRecord[string](d.Store, keyRefused)
	return why, err
}

// may is Refused when the manager may sign nothing.
func (d *Desk) may() error {
	why, err := d.Barred()
	if err != nil {
		return err
	}
	if why != "" {
		return &Refused{Verdict: wire.NotPermitted, Text: why}
	}
	return nil
}

// refuse publishes nothing as long as this process lives, and has the directory
// remember it: what it would sign meanwhile is nobody's.
func (m *Manager) refuse(why string) {
	m.phase, m.reason = Refusing, why
	if m.cfg.rehearsal {
		return
	}
	if err := m.Store.Commit(nil, record(keyRefused, why)); err != nil {
		m.reason += " (This could not be written down: " + err.Error() + ")"
	}
}

// allow begins to publish.
func (m *Manager) allow() error {
	_, was, err := m.Store.Get(keyRefused)
	if err == nil && was {
		err = m.Store.Commit(nil, store.KV{Key: keyRefused})
	}
	if err != nil {
		return fmt.Errorf("begin to publish: %w", err)
	}
	m.phase, m.reason = Running, ""
	return nil
}
