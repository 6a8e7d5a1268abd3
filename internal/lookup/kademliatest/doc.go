// Package kademliatest says what a DHT node must do that our look-ups rely on
// (BEP 5, BEP 44), as one test that runs against anything that answers
// queries: the model of the simulated world and a real anacrolix/dht node
// behind our guard.
//
// Where anacrolix/dht and libtorrent differ, either answer is right: a put with
// a bad token gets silence or error 203.
package kademliatest
