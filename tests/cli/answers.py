# SPDX-License-Identifier: MIT
"""What the fake daemon answers where a test asks for nothing else. Between them the answers have
every field that the protocol knows, so that the test of docs/json.md sees them all."""

import socket

KEY = "yg4gxe7z1r7mr6orids9fh95y7gxhdsxjqi6nngsxxtakqaxr5no"
HEX = "c37b3c8e50d7a5a5e1e5a0c4d2b1f09687766554"
NAME = KEY + ".web"
PEM = (
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIBwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7\n"
    "-----END PRIVATE KEY-----\n"
)


def endpoint(ip, port, proto=6):
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    return {"ip": socket.inet_pton(family, ip), "port": port, "proto": proto}


def tally(asked=21, answered=18, hops=3, elapsed_us=143215):
    return {"nodes_asked": asked, "nodes_answered": answered, "hops": hops,
            "elapsed_us": elapsed_us}


def result(**changes):
    fields = {
        "name": NAME, "authority": KEY, "classifier": "web",
        "endpoints": [endpoint("192.0.2.7", 443), endpoint("2001:db8::1", 53, 17)],
        "comment": "Ada's läptop 💻".encode("utf-16-le"),
        "machine": bytes(range(8)), "publisher": bytes(range(8)) + bytes(8),
        "mark": bytes(range(8, 16)), "seq": 1772539200000000, "ttl_s": 300, "age_s": 0,
        "source": "dht", "final": True, "copies": 8, **tally(),
    }
    fields.update(changes)
    return ("result", {key: value for key, value in fields.items() if value is not None})


def change(event, **changes):
    """A result of a watch; of one that is gone its identity alone."""
    kind, fields = result(event=event, **changes)
    if event == "gone":
        fields = {key: fields[key] for key in ("event", "name", "publisher", "mark", "cloud") if key in fields}
    return (kind, fields)


def done(count=1, copies=8, density=None, **changes):
    known = {} if density is None else {"density": density}
    return ("done", {"count": count, "copies": copies, **known, **tally(**changes)})


def error(code, text="as the script says"):
    return [("error", {"code": code, "text": text})]


def step(word, **fields):
    return ("progress", {"step": word, **fields})


def hop(outcome, last, depth, rtt_us, **changes):
    fields = {"addr": "198.51.100.%d:6881" % last, "depth": depth, "id": bytes([last]) + bytes(19),
              "named": 8, "outcome": outcome, "rtt_us": rtt_us, "target": b"\x17" + bytes(19)}
    fields.update(changes)
    return step("hop", **{key: value for key, value in fields.items() if value is not None})


def asked(outcome, last, publishers, rtt_us, **changes):
    kind, fields = hop(outcome, last, 0, rtt_us, named=publishers, **changes)
    return (kind, {**fields, "step": "who"})


HOPS = [
    hop("answered", 0x97, 1, 38120),
    hop("silent", 0x21, 1, None, named=0),
    hop("error", 0x19, 2, 71002, named=0),
    hop("found", 0x17, 3, 112940, addr="[2001:db8::1234]:51413"),
    hop("answered", 0x16, 3, 190300, id=None, target=b"\x99" + bytes(19)),
]

ASKED = [
    hop("found", 0x17, 1, 38120, named=0),
    asked("found", 0x97, 1, 71002),
    asked("found", 0x98, 3, 71002),
    asked("answered", 0x21, 0, 1200, id=None),
    asked("error", 0x22, 0, None, id=None),
    asked("silent", 0x23, 0, None, id=None),
]

REPORT = {
    "name": NAME, "authority": KEY, "seq": 1772539200000000, "stored": 17, "targets": 20,
    "refused": [{"addr": "198.51.100.1:6881", "code": 302}, {"addr": "198.51.100.2:6881", "code": 302},
                {"addr": "[2001:db8::9]:6881", "code": 0}],
    "renew_s": 2820, **tally(),
}

PUBLISHING = [step("reading"), step("saving"), step("storing", stored=0, targets=20),
              step("storing", stored=9, targets=20)]


def publication(**changes):
    fields = {
        "name": NAME, "endpoints": [endpoint("192.0.2.7", 443), endpoint("2001:db8::1", 53, 17)],
        "comment": "at home".encode("utf-16-le"), "seq": 1772539200000000, "stored": 18,
        "targets": 20, "copies": 17, "renew_s": 2820, "state": "kept", "last_error": "",
        "session": False, "cloud": "Global_",
    }
    fields.update(changes)
    return ("result", fields)


def key(label):
    return {"label": label, "z32": KEY, "hex40": HEX, "path": f"/var/lib/pnr/keys/{label}.key"}


def key_of(arguments):
    return [("done", key(arguments["label"].decode()))]


CLOUDS = [
    {"name": "Global_", "family": 4, "id": bytes(range(20)), "listen": "0.0.0.0:6881",
     "external": "203.0.113.5:6881", "role": "server", "joined": True, "contacts": 140,
     "contacts_good": 121, "nodes_estimate": 9812345, "ops": 2, "items": 30, "items_bytes": 12345,
     "counters": {"packets_in": 123456, "packets_out": 234567}},
    {"name": "Global_", "family": 6, "id": bytes(range(20, 40)), "listen": "[::]:6881",
     "role": "client", "joined": False, "contacts": 3, "contacts_good": 0, "nodes_estimate": 0,
     "ops": 0, "items": 0, "items_bytes": 0, "counters": {}},
]

STATUS = {
    "version": "0.1.0", "node": 0, "nodes": 1, "uptime_s": 11520, "clouds": CLOUDS,
    "publications": 1, "keys": 2, "sessions": 1, "requests": 1,
    "counters": {"sessions_refused": 0, "requests_total": 17},
}


def peer(addr, last, **changes):
    fields = {"id": bytes(range(19)) + bytes([last]), "addr": addr, "rtt_us": 42500, "good": True,
              "secure": True, "family": 4, "cloud": "Global_"}
    fields.update(changes)
    return ("result", {key: value for key, value in fields.items() if value is not None})


def finding(check, state, text, remedy=None):
    known = {} if remedy is None else {"remedy": remedy}
    return ("result", {"check": check, "state": state, "text": text, **known})


SCRIPT = {
    "resolve": [result(), done()],
    "watch": [change("added"), step("watching"), change("changed", comment=None), change("gone"),
              ("hang",)],
    "publish": PUBLISHING + [("done", REPORT)],
    "unpublish": [step("storing", stored=0, targets=20),
                  ("done", {**REPORT, "stored": 20, "refused": [], "renew_s": 1800})],
    "publications": [
        publication(),
        publication(name=KEY, endpoints=[endpoint("192.0.2.7", 22)], state="failed", stored=0,
                    copies=0, renew_s=55, last_error="nobody took it"),
        publication(name="0.printer", endpoints=[], comment=b"\x00\xd8", session=True,
                    state="storing"),
        ("done", {"count": 3}),
    ],
    "key_new": key_of, "key_show": key_of, "key_import": key_of,
    "key_list": [("result", key("laptop")), ("result", key("printer-2nd-floor")),
                 ("done", {"count": 2})],
    "key_export": lambda arguments: [("done", {"label": arguments["label"], "pem": PEM})],
    "status": [("done", STATUS)],
    "clouds": [("result", {"name": "Global_", "scope": "global", "scope_id": 0, "state": "active",
                           "families": [4, 6]}),
               ("result", {"name": "lab", "scope": "site", "scope_id": 0, "state": "disabled",
                           "families": []}),
               ("result", {"name": "link%eth0", "scope": "link", "scope_id": 2, "state": "no-net",
                           "families": [4], "event": "changed"}),
               ("result", {"name": "old", "scope": "global", "scope_id": 0, "state": "dead",
                           "families": [], "event": "gone"}),
               ("done", {"count": 4})],
    "peers": [peer("198.51.100.1:6881", 1),
              peer("[2001:db8::1234]:51413", 2, family=6, good=False, secure=False, rtt_us=None),
              ("done", {"count": 2})],
    "doctor": [
        finding("keys", "ok", "2 in /var/lib/pnr/keys, for nobody else to read"),
        finding("clock", "warn", "no time service keeps it right", "run one"),
        finding("udp-out", "fail", "IPv6 in Global_: 0 of 12 queries answered",
                "let UDP out to any port and the answers in"),
        finding("names", "ok", "1 of 1 read back from the network as published"),
        ("done", {"count": 4, "failures": 1, "warnings": 1})],
    "ping": [("done", {"rtt_us": 812, "id": bytes(range(20))})],
}
