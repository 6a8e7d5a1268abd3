package wire

// Limits. Every one is checked by encoder and decoder alike.
const (
	Version = 1 // of every format here

	ItemBytesMax       = 1000      // BEP 44: the bencoded value
	IntMax             = 1<<53 - 1 // magnitude of every integer on the wire
	DepthMax           = 4         // nested lists and dicts
	ChangeBytesMax     = 8192      // one encoded change
	ArgsBytesMax       = 6144      // its arguments
	KindNameBytesMax   = 16
	EntryBytesMax      = 16384
	BodyBytesMax       = bodySaltBytes + ChangeBytesMax
	FrameBytesMax      = frameHeaderBytes + EntryBytesMax + BodyBytesMax + 2*frameBoxBytes
	ChunkBytes         = 900 // stream bytes in one chunk item
	WindowTargetsMax   = 32
	HeadChunksMax      = 16
	HeadOlderMax       = 4
	PostingsMin        = 2
	PostingsMax        = 64
	NameBytesMax       = 64 // name of a database
	MemberNameBytesMax = 32 // name of a member
	UnitBytesMax       = 8
	ScaleMax           = 9
	QuotaMax           = 1_000_000
	HeartbeatMin       = 60              // seconds
	HeartbeatMax       = 7 * 24 * 3600   // seconds
	StaleMax           = 365 * 24 * 3600 // seconds
	MemoBytesMax       = 256
	ReasonBytesMax     = 256
	VolumeBytes        = 8 << 20         // past this the next sweep cuts the stream
	VolumeBytesMax     = 2 * VolumeBytes // no volume and no tail is longer
	VolumesMax         = 1_000_000
	ShelfVolumes       = 128 // volumes in one shelf
	PieceBytes         = 16384
	StateBytesMax      = 16384
	LinkCharsMax       = 299
	BootstrapMax       = 4 // addresses in one link
	WitnessBytes       = 76
	WitnessesMax       = 3
)
