package swarm

// Traffic is the bytes that have come from torrent peers and gone to them, all
// of them: handshakes, messages and what was discarded.
func (c *Client) Traffic() (in, out int64) {
	s := c.lib.ConnStats()
	return s.BytesRead.Int64(), s.BytesWritten.Int64()
}
