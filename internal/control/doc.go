// Package control is how a command reaches a running manager or agent: HTTP
// over a Unix socket in the data directory, one POST a call, JSON both ways.
// Whoever may read the directory (mode 0700) may call; there is no other
// authentication and nothing listens on a network.
//
// A place is the path of a file in the data directory; that file holds the
// socket's path, and the socket lies beside it, with .sock behind the name. A
// socket's path has room for about 100 characters. Where this one is longer, the
// socket lies in a new private directory below the system's temporary one.
//
// A copy of the directory has that file too. So a call says which directory it
// means, and is let through where that is the one that is served.
package control
