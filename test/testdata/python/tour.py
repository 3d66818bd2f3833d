"""What a Python program does with python3-etcd3, as lines that do not depend on ids or times: `tour.py HOST PORT`."""
import sys
import threading

import etcd3

client = etcd3.client(host=sys.argv[1], port=int(sys.argv[2]), timeout=10)
first = client.put("tour/a", "1").header.revision


def rev(revision):
    return revision - first


print("get", client.get("tour/a")[0], client.get("tour/none")[0])
print("put if absent", client.put_if_not_exists("tour/a", "2"), client.put_if_not_exists("tour/b", "2"))
print("replace", client.replace("tour/a", "1", "3"), client.replace("tour/a", "1", "4"))
print("prefix", [(v, rev(m.mod_revision), m.version) for v, m in client.get_prefix("tour/", sort_order="descend")])
print("range", [v for v, _ in client.get_range("tour/a", "tour/b\0")])
print("keys only", [m.key for _, m in client.get_prefix("tour/", keys_only=True)])

seen = []
three = threading.Event()


def heard(answer):
    for event in answer.events:
        seen.append((type(event).__name__, event.key, event.value, rev(event.mod_revision)))
    if len(seen) >= 3:
        three.set()


watch = client.add_watch_prefix_callback("tour/", heard, start_revision=first + 1)
client.delete("tour/b")
three.wait(10)
client.cancel_watch(watch)
print("watch", seen[:3])

won, answers = client.transaction(
    compare=[client.transactions.value("tour/a") == "3", client.transactions.version("tour/b") == 0],
    success=[client.transactions.put("tour/c", "5"), client.transactions.get("tour/a")],
    failure=[client.transactions.delete("tour/a")],
)
print("transaction", won, len(answers), answers[1][0][0])

lease = client.lease(60)
client.put("tour/leased", "x", lease)
print("lease", lease.granted_ttl, 0 < lease.remaining_ttl <= 60, lease.keys)
print("refresh", [a.TTL for a in client.refresh_lease(lease.id)])
lease.revoke()
print("revoked", client.get("tour/leased")[0])

with client.lock("tour-lock", ttl=10) as lock:
    # A second one cannot be tried: the library's waiting does not fit the tenacity that Debian ships beside it.
    print("locked", lock.is_acquired())
print("members", sorted(m.name for m in client.members) != [])
print("status", client.status().leader is not None)
client.compact(first + 2)
compacted = threading.Event()
client.add_watch_callback("tour/a", lambda answer: (print("compacted", answer), compacted.set()), start_revision=first)
compacted.wait(10)
print("alarms", list(client.list_alarms()))
print("delete prefix", client.delete_prefix("tour/").deleted)
