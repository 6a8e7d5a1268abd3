package keyfile

// SyncDir does nothing: Windows cannot sync a directory, and renames in NTFS
// are journaled.
func SyncDir(string) error { return nil }
