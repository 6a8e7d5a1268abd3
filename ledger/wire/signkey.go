package wire

import "encoding/hex"

// smallOrderKeys are the ed25519 public keys of small order, under which
// signatures can be made without a private key: of every change by ZIP-215,
// of a part of all messages by RFC 8032. In hex, with the sign bit clear, as
// libsodium's ge25519_has_small_order has them; the last two are no canonical
// encodings (y = p and y = p + 1).
var smallOrderKeys = [...]string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

// smallOrder says whether an ed25519 public key is one under which anybody can
// sign.
func smallOrder[K ~[32]byte](k K) bool {
	k[31] &= 0x7f
	text := hex.EncodeToString(k[:])
	for _, small := range smallOrderKeys {
		if text == small {
			return true
		}
	}
	return false
}
