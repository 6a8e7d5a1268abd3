"""A libtorrent client for the scripts of weir: it knows BEP 44 and BitTorrent
and nothing of weir.

get BOOTSTRAP KEY SALT                  gets a mutable item and prints it as JSON
put BOOTSTRAP SECRET KEY SALT VALUE     puts a string (base64 of its bencoding) and prints the seq
fetch BOOTSTRAP INFOHASH DIR            downloads a torrent, whose peers it finds on the DHT
"""
import base64
import hashlib
import json
import os
import socket
import sys
import time

import libtorrent as lt

PATIENCE = 60
CATEGORIES = lt.alert.category_t


def start(bootstrap):
    return lt.session({
        "listen_interfaces": "127.0.0.1:0",
        # What is waited for and no more: of the others some are not safe to hand to Python.
        "alert_mask": CATEGORIES.error_notification | CATEGORIES.status_notification
        | CATEGORIES.storage_notification | CATEGORIES.dht_notification,
        "enable_dht": True, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
        "allow_multiple_connections_per_ip": True,
        "dht_bootstrap_nodes": bootstrap,
        "dht_restrict_routing_ips": False, "dht_restrict_search_ips": False,
        "dht_enforce_node_id": False, "dht_prefer_verified_node_ids": False,
    })


def wait(session, what, take):
    """The first alert that take makes something of."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        session.wait_for_alert(100)
        for alert in session.pop_alerts():
            found = take(alert)
            if found is not None:
                return found
    sys.exit("never: " + what)


def joined(session):
    wait(session, "the DHT is there", lambda a: True if isinstance(a, lt.dht_bootstrap_alert) else None)


def get(bootstrap, key, salt):
    """libtorrent gets the item and checks its signature, but its Python
    binding shows the value only when it is a string. So the nodes closest to
    it are asked once more, and must give the item that libtorrent found."""
    session = start(bootstrap)
    joined(session)
    session.dht_get_mutable_item(bytes.fromhex(key), bytes.fromhex(salt))

    def found(alert):
        if isinstance(alert, lt.dht_mutable_item_alert) and alert.authoritative and alert.seq > 0:
            return alert.seq, bytes(alert.signature)

    seq, sig = wait(session, "the item", found)
    target = hashlib.sha1(bytes.fromhex(key) + bytes.fromhex(salt)).digest()
    for answer in walk(bootstrap, target):
        if answer.get(b"sig") == sig and answer.get(b"seq") == seq and answer.get(b"k") == bytes.fromhex(key):
            print(json.dumps({"key": key, "salt": salt, "seq": seq, "sig": sig.hex(), "value": lt.bencode(answer[b"v"]).hex()}), flush=True)
            return
    sys.exit("no node gives the item that libtorrent found")


def walk(bootstrap, target):
    """What the nodes from a few on answer to get, nearer and nearer to a target."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.settimeout(1)
    todo = {(host, int(port)): None for host, port in (a.split(":") for a in bootstrap.split(","))}
    asked = set()
    while todo:
        address = min(todo, key=lambda a: todo[a] or b"")
        del todo[address]
        asked.add(address)
        sock.sendto(lt.bencode({b"t": b"aa", b"y": b"q", b"q": b"get", b"a": {b"id": bytes(20), b"target": target}}), address)
        try:
            answer = lt.bdecode(sock.recvfrom(2048)[0]).get(b"r", {})
        except socket.timeout:
            continue
        yield answer
        nodes = answer.get(b"nodes", b"")
        for i in range(0, len(nodes), 26):
            node, ip, port = nodes[i:i + 20], nodes[i + 20:i + 24], nodes[i + 24:i + 26]
            at = (socket.inet_ntoa(ip), int.from_bytes(port, "big"))
            if at not in asked:
                todo[at] = bytes(x ^ y for x, y in zip(node, target))


def put(bootstrap, secret, key, salt, value):
    session = start(bootstrap)
    joined(session)
    text = lt.bdecode(base64.b64decode(value))
    session.dht_put_mutable_item(bytes.fromhex(secret), bytes.fromhex(key), text, bytes.fromhex(salt))

    def done(alert):
        if isinstance(alert, lt.dht_put_alert) and alert.num_success > 0:
            return alert.seq

    print(wait(session, "the put", done), flush=True)


def fetch(bootstrap, infohash, directory):
    session = start(bootstrap)
    joined(session)
    params = lt.parse_magnet_uri("magnet:?xt=urn:btih:" + infohash)
    params.save_path = directory
    handle = session.add_torrent(params)
    wait(session, "the torrent", lambda a: True if handle.status().is_seeding else None)
    handle.flush_cache()
    wait(session, "it is on the disk", lambda a: True if isinstance(a, lt.cache_flushed_alert) else None)
    print("done", flush=True)


{"get": get, "put": put, "fetch": fetch}[sys.argv[1]](*sys.argv[2:])
os._exit(0)  # without taking the session apart beside its threads
