// Package backup is the file that weir backup and weir move write: everything of
// a data directory that is not in the 24 words, in one file that is checked to its
// last byte.
//
// # Format
//
// The file is an age file (age-encryption.org/v1, scrypt recipient) around a tar
// archive, or, where somebody said so, the archive in the open. Stock tools open
// it: age -d FILE | tar x, and then sha256sum -c SHA256SUMS.
//
// The archive has regular files only, in USTAR format, in this order:
//
//	weir-backup.json   {"format":1,"id":…,"kind":"backup","made":…,"files":[{"name":…,"size":…},…]}
//	…                  the files, exactly those that were listed, in that order
//	SHA256SUMS         hex SHA-256, two spaces, name, line feed; of each file and of
//	                   weir-backup.json, in order
//
// Names are those that a data directory has, and no others (nameRule): no path
// leaves the directory into which they are written. A newer format is ErrVersion.
//
// # Reading
//
// Limits come first: of the list, of how many files there are, of each file by its
// name. The list comes before the files, so whoever reads knows how much there will
// be before anything is written, and no file is longer than it was said. What is not
// exactly as above is ErrDamaged; so is what ends before the sums, or whose sums do
// not fit.
package backup
