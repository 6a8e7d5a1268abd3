// Package simnet is the simulated world: a clock, a network that loses and
// delays, DHT nodes, hosts that run our own look-up machine, and a swarm of
// torrents in memory. Everything runs on one event loop and takes no real time.
//
// # A seed is a run
//
// A World is made from a seed and runs without goroutines. Events are ordered
// by time and then by when they were made; every random draw comes from a
// stream of its own purpose (World.Stream), so a new consumer does not shift
// the others; no map is walked. World.Hash sums up every packet delivered,
// every timer fired and every Note, so two runs of one seed give one hash, and
// the first difference between two programs shows as another.
//
// Callers keep it so: no goroutines, no time.Now, no crypto/rand, no walking of
// maps in anything that runs inside the world.
//
// # Building one
//
//	w := simnet.NewWorld(seed)
//	net := simnet.NewNetwork(w, simnet.Link{RTT: 100 * time.Millisecond, Loss: 0.1})
//	nodes := simnet.NewNodes(net, 200, simnet.NodeConfig{})     // DHT nodes that know each other
//	h := simnet.NewHost(net, simnet.HostConfig{Bootstrap: nodes.Bootstrap(3)})
//	h.Get(lookup.Get{Target: t}, func(f lookup.Found) { ... })
//	w.Run(time.Minute)
//
// Torrents gives hosts a seed.Swarm; Remember spares signature checks that
// were made before. Everything can be changed while the world runs: links,
// partitions, which hosts live, how a node behaves.
package simnet
