package manager

import (
	"fmt"

	"weir/ledger/store"
	"weir/ledger/wire"
)

// ContactBytesMax is how long a contact may be.
const ContactBytesMax = 200

func contactKey(account uint64) string { return fmt.Sprintf("%s%016x", keyContact, account) }

// SetContact notes how a member's owner is reached; "" forgets it. It stays in this
// store: nothing of it is published.
func (d *Desk) SetContact(account uint64, text string) error {
	if a, ok := d.Store.State().Account(account); !ok || a.Number == 0 {
		return fmt.Errorf("account %d: %w", account, ErrNotFound)
	}
	if err := wire.CheckText("contact", text, ContactBytesMax); err != nil {
		return err
	}
	kv := store.KV{Key: contactKey(account)} // no value: it is deleted
	if text != "" {
		kv = record(kv.Key, text)
	}
	if err := d.Store.Commit(nil, kv); err != nil {
		return fmt.Errorf("keep a contact: %w", err)
	}
	return nil
}

// Contact is how a member's owner is reached; "": nobody has noted it.
func (d *Desk) Contact(account uint64) (string, error) {
	text, _, err := readRecord[string](d.Store, contactKey(account))
	return text, err
}
