"""A libtorrent peer for the tests of package swarm.

leech DIR INFOHASH HOST PORT    fetches a torrent and prints "done"
seed DIR INFO                   seeds DIR/<name> and prints its port, until stdin ends
"""
import sys
import time

import libtorrent as lt

PATIENCE = 60

session = lt.session({
    "listen_interfaces": "127.0.0.1:0",
    "enable_dht": False, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
    "allow_multiple_connections_per_ip": True,
})


def wait(what, condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            sys.exit("never: " + what)
        time.sleep(0.02)


def leech(directory, infohash, host, port):
    params = lt.parse_magnet_uri("magnet:?xt=urn:btih:" + infohash)
    params.save_path = directory
    handle = session.add_torrent(params)
    wait("libtorrent listens", lambda: session.listen_port() != 0)
    handle.connect_peer((host, int(port)))
    wait("everything is here", lambda: handle.status().is_seeding)
    handle.flush_cache()
    session.remove_torrent(handle)
    session.pause()
    print("done", flush=True)


def seed(directory, info):
    with open(info, "rb") as f:
        torrent = lt.torrent_info(lt.bdecode(b"d4:info" + f.read() + b"e"))
    handle = session.add_torrent({"ti": torrent, "save_path": directory})
    wait("libtorrent has checked it", lambda: handle.status().is_seeding)
    wait("libtorrent listens", lambda: session.listen_port() != 0)
    print(session.listen_port(), flush=True)
    sys.stdin.read()


{"leech": leech, "seed": seed}[sys.argv[1]](*sys.argv[2:])
