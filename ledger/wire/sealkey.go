package wire

import (
	"encoding/hex"
	"errors"

	"weir/keys"
)

// lowOrderKeys are the X25519 public keys of low order, which agree with every
// private key on the secret zero (RFC 7748 section 6.1): in hex, and with the
// top bit, which X25519 ignores, clear. The last two are the first two plus the
// field's prime 2^255-19.
var lowOrderKeys = [...]string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

// lowOrder says whether what is sealed to a key, or by it, is open to everybody.
func lowOrder(k keys.SealPublic) bool {
	k[31] &= 0x7f
	text := hex.EncodeToString(k[:])
	for _, low := range lowOrderKeys {
		if text == low {
			return true
		}
	}
	return false
}

// checkSeal refuses a seal key to which nothing can be sealed. Whoever was
// admitted with one would never be heard, and nobody would know why.
func checkSeal(k keys.SealPublic) error {
	if lowOrder(k) {
		return errors.New("the seal key is of low order: everybody could open what is sealed to it")
	}
	return nil
}
