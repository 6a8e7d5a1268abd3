// Package keyfile keeps a seed on a disk: in a file that age encrypts under a
// passphrase, or, when somebody says so, in the open.
//
// # Files
//
// A key is two files side by side:
//
//	key      encrypted: an armored age file (age-encryption.org/v1, scrypt
//	         recipient) around one line, the seed's text. age -d opens it.
//	         In the open: that line itself, below a comment that says so.
//	key.pub  the public key and the SHA-256 of key, in two lines. With it the
//	         public key is known without the passphrase, and a damaged file is
//	         told from a wrong passphrase. After a crash between the writes of
//	         the two they are not told apart, until the key is opened: that
//	         writes the sum anew.
//
// Both are written whole or not at all, with mode 0600, and never over a file
// that is there: replacing a key is Rewrite, which wants the old one first.
package keyfile
