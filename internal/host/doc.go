// Package host puts the roles on real edges: a data directory, a key file, one
// UDP socket with the DHT node, one torrent client, one loop a role. What a
// command asks of a role is a call by name with JSON in and out (views.go), so
// that the same code answers in the process of the command and, through
// internal/control, in a running manager or agent.
//
// A data directory holds
//
//	key, key.pub          the identity (keys/keyfile)
//	weir.toml             settings, if somebody wrote some
//	nodes                 DHT nodes of the last run, to start from
//	control, control.sock the way to the agent that runs here (internal/control)
//	control-ID, ….sock    the same to the manager of one database; ID is its beginning
//	db/ID/                one database's store (ledger/store)
//	db/ID.json            what is known of it beside the store: Database
//	machine               where the directory is used: machineRecord
//	moved                 that it was moved away: MoveRecord
//	backup                when the newest backup was made: BackupRecord
package host
