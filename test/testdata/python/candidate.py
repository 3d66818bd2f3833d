"""A candidate for one key, by Debian's python3-etcd3: `candidate.py NAME KEY TTL HOST:PORT ...`.

Prints one JSON object a line: {"what": "leads", "revision": R}, "renewed", "lost", "moved" (to another endpoint).
It leads while its lease holds the key; it believes so no longer than the TTL after the last renewal that was answered.
"""
import json
import sys
import time

import etcd3
import grpc

name, key, ttl = sys.argv[1], sys.argv[2], int(sys.argv[3])
endpoints = [e.rsplit(":", 1) for e in sys.argv[4:]]
at = 0


def say(what, **more):
    print(json.dumps({"what": what, "name": name, **more}), flush=True)


def connect():
    host, port = endpoints[at % len(endpoints)]
    return etcd3.client(host=host, port=int(port), timeout=1)


def moved(err):
    global at
    at += 1
    say("moved", why=type(err).__name__)
    time.sleep(0.1)
    return connect()


def refusals():
    return (etcd3.exceptions.Etcd3Exception, grpc.RpcError)


client = connect()
lease = None
leads_until = 0.0
while True:
    try:
        if leads_until == 0:
            lease = client.lease(ttl)
            won, answers = client.transaction(
                compare=[client.transactions.create(key) == 0],
                success=[client.transactions.put(key, name, lease)],
                failure=[client.transactions.get(key)],
            )
            if won:
                leads_until = time.monotonic() + ttl
                say("leads", revision=client.get(key)[1].create_revision)
                continue
            lease.revoke()
            holder, kv = answers[0][0]
            if holder.decode() == name:
                # Of an answer that was lost: it goes with its lease.
                say("left over", revision=kv.create_revision)
            time.sleep(0.2)
            continue
        sent = time.monotonic()
        if not any(answer.TTL > 0 for answer in client.refresh_lease(lease.id)):
            raise etcd3.exceptions.Etcd3Exception("the lease is gone")
        leads_until = sent + ttl
        say("renewed")
        time.sleep(ttl / 4)
    except refusals() as err:
        if leads_until != 0 and (time.monotonic() > leads_until or str(err) == "the lease is gone"):
            leads_until = 0
            say("lost")
        client = moved(err)
