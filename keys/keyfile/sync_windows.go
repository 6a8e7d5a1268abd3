package keyfile

// syncDir does nothing: Windows cannot sync a directory, and renames in NTFS
// are journaled.
func syncDir(string) error { return nil }
