package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"weir/internal/backup"
	"weir/internal/control"
	"weir/internal/lookup"
	"weir/internal/mainline"
	"weir/keys"
	"weir/keys/keyfile"
	"weir/ledger/outbox"
	"weir/ledger/store"
	"weir/ledger/wire"
	"weir/manager"
	"weir/member"
)

// codes maps sentinels to exit codes; the first that fits counts.
var codes = []struct {
	err  error
	code int
}{
	{context.Canceled, CodeInterrupted},
	{ErrNotInitialised, CodeNotInitialised},
	{keyfile.ErrNotFound, CodeNotInitialised},
	{store.ErrLocked, CodeLocked},
	{keyfile.ErrPassphrase, CodePassphrase}, // also when it cannot be told from damage
	{keyfile.ErrDamaged, CodeError},         // also when its text does not read
	{keyfile.ErrNoPassphrase, CodePassphrase},
	{keyfile.ErrUnread, CodePassphrase},
	{keyfile.ErrOther, CodePassphrase},
	{manager.ErrNotManager, CodePassphrase},
	{manager.ErrRecovery, CodePassphrase},
	{member.ErrOtherKey, CodePassphrase},
	{store.ErrReadKey, CodePassphrase},
	{ErrNotFound, CodeNotFound},
	{store.ErrNotFound, CodeNotFound},
	{manager.ErrNotFound, CodeNotFound},
	{member.ErrNotFound, CodeNotFound},
	{manager.ErrUsed, CodeRefused},
	{member.ErrNotAdmitted, CodeRefused},
	{member.ErrReplaced, CodeRefused},
	{member.ErrOtherDevice, CodeRefused},
	{member.ErrRestored, CodeRefused},
	{outbox.ErrFull, CodeRefused},
	{outbox.ErrHanded, CodeRefused},
	{outbox.ErrNotNewest, CodeRefused},
	{mainline.ErrNoBootstrap, CodeNoNode},
	{lookup.ErrNoNodes, CodeNoNode},
	{ErrNotVerified, CodeNotVerified},
	{store.ErrDamaged, CodeNotVerified},
	{backup.ErrDamaged, CodeNotVerified},
	{backup.ErrNot, CodeUsage},
	{keys.ErrText, CodeUsage},
	{keys.ErrWords, CodeUsage},
	{wire.ErrNotLink, CodeUsage},
	{wire.ErrMistyped, CodeUsage},
}

// ErrNotVerified: what was found does not verify.
var ErrNotVerified = errors.New("it does not verify")

// refused is an error for what the rules, or how things stand, do not allow.
func refused(format string, args ...any) error {
	return &control.Error{Code: CodeRefused, Text: fmt.Sprintf(format, args...)}
}

// misread is an error for a value that does not read.
func misread(format string, args ...any) error {
	return &control.Error{Code: CodeUsage, Text: fmt.Sprintf(format, args...)}
}

// Code is the exit code of an error.
func Code(err error) int {
	if err == nil {
		return 0
	}
	var own *control.Error
	if errors.As(err, &own) {
		return own.Code
	}
	var refused *manager.Refused
	if errors.As(err, &refused) {
		return CodeRefused
	}
	var copied *control.CopyError
	if errors.As(err, &copied) {
		return CodeLocked
	}
	for _, c := range codes {
		if errors.Is(err, c.err) {
			return c.code
		}
	}
	return CodeError
}

// Text is what an error says, in plain words, each thing once: where reading ended at damage,
// closing what was read says the same again.
func Text(err error) string { return once(plainly(err)) }

// silent is an error that was told already.
type silent struct{ error }

func (silent) Error() string   { return "" }
func (s silent) Unwrap() error { return s.error }

// carrier is the name under which pebble hangs what it knows of a damage on the
// error, and says nothing.
const carrier = "<corruption detail carrier>"

// once leaves out every line that an earlier one has in it.
func once(text string) string {
	var lines []string
	for _, line := range strings.Split(text, "\n") {
		said := func(before string) bool { return strings.Contains(before, line) }
		if line != carrier && !slices.ContainsFunc(lines, said) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// Coded gives an error that crosses the control socket its exit code.
func Coded(err error) error {
	if err == nil {
		return nil
	}
	var own *control.Error
	if errors.As(err, &own) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &control.Error{Code: Code(err), Text: Text(err)}
}
