package wire

import "errors"

// ErrShort: the bytes end before the value does, or before it begins; more may
// complete it.
var ErrShort = errors.New("the bytes end too early")

// ErrOpen: a box does not open under this key: forged, damaged or another's.
var ErrOpen = errors.New("does not open under this key")

// ErrNewer: only a later version of weir reads the value: it has a higher
// version number, or something that SPEC.md reserves. Where that says how the
// rest is laid out, the rest has not been looked at and may not be there.
var ErrNewer = errors.New("needs a newer weir")

// ErrNotLink: the text is no weir link at all.
var ErrNotLink = errors.New("not a weir link")

// ErrMistyped: the text is a weir link whose checksum does not fit.
var ErrMistyped = errors.New("mistyped or cut off: the checksum does not fit")
