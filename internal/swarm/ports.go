package swarm

import (
	"strconv"
	"time"

	"github.com/anacrolix/log"
	"github.com/anacrolix/upnp"
)

const discoverFor = 2 * time.Second

// mapPorts asks the routers it finds to let torrent peers in (UPnP), and takes
// it back when the client is closed. The mapping of the UDP port serves the
// DHT and uTP alike.
func (c *Client) mapPorts() {
	port := int(c.sockets.addr.Port())
	found := make(chan []upnp.Device, 1)
	go func() { found <- upnp.Discover(0, discoverFor, log.NewLogger().WithFilterLevel(log.Disabled)) }()
	var devices []upnp.Device
	select {
	case <-c.ctx.Done():
		return
	case devices = <-found:
	}
	for _, d := range devices {
		for _, proto := range []upnp.Protocol{upnp.TCP, upnp.UDP} {
			if c.ctx.Err() != nil {
				return
			}
			outside, err := d.AddPortMapping(proto, port, port, clientName, 0)
			if err != nil {
				c.config.Logf("map %s port %d: %v", proto, port, err)
				continue
			}
			c.config.Logf("the router lets torrent peers in on %s port %d", proto, outside)
			defer d.DeletePortMapping(proto, outside)
		}
	}
	<-c.ctx.Done()
}

func portText(p uint16) string { return strconv.Itoa(int(p)) }
