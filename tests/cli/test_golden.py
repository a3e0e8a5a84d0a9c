# SPDX-License-Identifier: MIT
"""What people and programs see, word for word: golden/NAME.txt holds each case's stdout, stderr and
exit code. After a wanted change: PNR_UPDATE_GOLDEN=1 ctest -R cli/golden, and read the diff."""

import os
import unittest

import answers
import harness
from answers import change, done, endpoint, error, result, step

HOSTILE = "\x1b]0;x\x07\u202egnp.exe"
CACHED = {"resolve": [result(source="cache", age_s=42, elapsed_us=310), done()]}
JUST_CACHED = {"resolve": [result(source="cache", elapsed_us=0), done()]}
LOCAL = {"resolve": [result(source="local", comment=None, elapsed_us=90), done()]}
SEVERAL = {"resolve": [
    result(name="0.printer", authority="0", classifier="printer", machine=None, seq=None,
           publisher=bytes([n]) * 16, rtt_us=34000 * n,
           endpoints=[endpoint("192.0.2.%d" % n, 631)], comment=None, copies=1)
    for n in (1, 2)] + [done(2)]}
MACHINES = {"resolve": [
    result(machine=bytes([n]) * 8, publisher=bytes([n]) * 16,
           endpoints=[endpoint("192.0.2.%d" % n, 443)] * (n != 3), payload=bytes(range(6)),
           payload_type=1)
    for n in (1, 2, 3)] + [done(3)]}
# The record that stands was changed meanwhile, and so its last machine's result is of another one.
RECORDS = {"resolve": [
    result(machine=bytes([n]) * 8, publisher=bytes([n]) * 16, seq=seq,
           endpoints=[endpoint("192.0.2.%d" % n, 443)])
    for n, seq in ((1, 17), (2, 17), (3, 18))] + [done(3)]}
BETTERED = {"resolve": [
    result(seq=1, final=False, endpoints=[endpoint("192.0.2.1", 1)]),
    result(seq=2, final=False, endpoints=[endpoint("192.0.2.2", 2)]), done()]}
PAYLOADS = {"resolve": [
    result(payload=bytes(range(40)), payload_type=1, machine=b"a"),
    result(payload="grüße\n".encode("utf-16-le"), payload_type=2, machine=b"b"),
    result(payload=b"\x00\xd8", payload_type=2, machine=b"c", comment=b"\x00\xdc"), done(3)]}
RAW = {"resolve": [result(endpoints=[], comment=HOSTILE.encode("utf-16-le"),
                          classifier=HOSTILE, name=answers.KEY + "." + HOSTILE), done()]}
TRACED = {"resolve": answers.HOPS + [result(comment=None), done(density=112)]}
TRACED_UNSECURED = {"resolve": answers.ASKED + [
    result(name="0.printer", authority="0", classifier="printer", machine=None, seq=None,
           rtt_us=71002, comment=None, copies=1, cloud="lab"), done(density=112)]}
IN_LAB = {"resolve": [result(comment=None, cloud="lab"), done()],
          "watch": [change("added", cloud="lab"), step("watching"), change("gone", cloud="lab"),
                    ("hang",)]}
SUSPECT = {"resolve": answers.HOPS[:1] + [("error", {
    "code": 3, "text": "no record of this name was found", "density": 870, "suspect": True,
    **answers.tally()})]}
ODD_PROTOCOLS = {"resolve": [result(endpoints=[
    endpoint("192.0.2.7", 9, 132), endpoint("192.0.2.7", 0, 0), endpoint("192.0.2.7", 7, 254)],
    comment=None), done()]}
WATCHED = {"watch": [
    change("added", publisher=b"a" * 16, endpoints=[endpoint("192.0.2.1", 1)], payload=bytes(40),
           payload_type=1),
    change("added", publisher=b"b" * 16, endpoints=[], comment=HOSTILE.encode("utf-16-le")),
    step("watching"),
    change("gone", publisher=b"a" * 16), change("gone", publisher=b"c" * 16),
    change("changed", publisher=b"b" * 16, endpoints=[endpoint("192.0.2.2", 2)]),
    change("gone", publisher=b"b" * 16), ("hang",)]}
UNWATCHED = {"watch": [step("watching"), ("hang",)]}
WELL_STORED = {"publish": [("done", {**answers.REPORT, "stored": 20, "refused": []})]}
BADLY_STORED = {"publish": [("done", {**answers.REPORT, "stored": 1, "refused": [
    {"addr": "198.51.100.%d:6881" % n, "code": code} for n, code in
    enumerate([302, 301, 302, 205, 0, 0, 0, 999])]})]}
NOTHING = {"publications": [("done", {"count": 0})], "key_list": [("done", {"count": 0})],
           "clouds": [("done", {"count": 0})], "peers": [("done", {"count": 0})]}
TESTNET = {"status": [("done", {**answers.STATUS, "node": 3, "nodes": 20, "clouds": [],
                                "counters": {}, "keys": 1, "publications": 0})]}
RAW_KEY = {"key_show": [("done", {**answers.key("a"), "path": "/tmp/\x1b[2J\n\xff"})]}

# name: (arguments, script)
CASES = {
    "resolve": (["resolve", "laptop.web"], None),
    "resolve-quiet": (["-q", "resolve", "laptop.web"], None),
    "resolve-verbose": (["-v", "resolve", "laptop.web"], None),
    "resolve-color": (["--color=always", "resolve", "laptop.web"], None),
    "resolve-json": (["--json", "resolve", "laptop.web"], None),
    "resolve-cache": (["resolve", "laptop.web", "--wait", "cache"], CACHED),
    "resolve-just-cached": (["resolve", "laptop.web", "--wait", "cache"], JUST_CACHED),
    "resolve-local": (["resolve", "laptop.web"], LOCAL),
    "resolve-several": (["resolve", "0.printer"], SEVERAL),
    "resolve-several-quiet": (["-q", "resolve", "0.printer"], SEVERAL),
    "resolve-machines": (["resolve", "laptop.web"], MACHINES),
    "resolve-machines-verbose": (["-v", "resolve", "laptop.web"], MACHINES),
    "resolve-machines-quiet": (["-q", "resolve", "laptop.web"], MACHINES),
    "resolve-records": (["resolve", "laptop.web"], RECORDS),
    "resolve-bettered": (["resolve", "laptop.web"], BETTERED),
    "resolve-bettered-json": (["--json", "resolve", "laptop.web"], BETTERED),
    "resolve-payloads": (["resolve", "laptop.web"], PAYLOADS),
    "resolve-payloads-json": (["--json", "resolve", "laptop.web"], PAYLOADS),
    "resolve-hostile": (["-v", "resolve", "laptop.web"], RAW),
    "resolve-hostile-json": (["--json", "resolve", "laptop.web"], RAW),
    "resolve-protocols": (["resolve", "laptop.web"], ODD_PROTOCOLS),
    "resolve-trace": (["resolve", "laptop.web", "--trace"], TRACED),
    "resolve-trace-json": (["resolve", "laptop.web", "--trace", "--json"], TRACED),
    "resolve-trace-unsecured": (["resolve", "0.printer", "--trace"], TRACED_UNSECURED),
    "resolve-trace-unsecured-json": (["resolve", "0.printer", "--trace", "--json"],
                                     TRACED_UNSECURED),
    "resolve-trace-cloud": (["resolve", "laptop.web", "--trace", "--cloud", "lab"], TRACED),
    "resolve-cloud": (["resolve", "laptop.web", "--cloud", "lab"], IN_LAB),
    "watch-cloud": (["watch", "laptop.web", "--cloud", "lab", "-v", "--count", "2"], IN_LAB),
    "resolve-trace-suspect": (["resolve", "laptop.web", "--trace"], SUSPECT),
    "resolve-none": (["resolve", "laptop.web"],
                     {"resolve": error(3, "nobody publishes laptop.web")}),
    "resolve-hostile-error": (["resolve", "laptop.web"], {"resolve": error(1, "\x1b[2Jboo\n")}),
    "watch": (["watch", "laptop.web", "--count", "6"], WATCHED),
    "watch-quiet": (["-q", "watch", "laptop.web", "--count", "6"], WATCHED),
    "watch-verbose": (["-v", "watch", "laptop.web", "--count", "6"], WATCHED),
    "watch-color": (["--color=always", "watch", "laptop.web", "--count", "3"], None),
    "watch-json": (["--json", "watch", "laptop.web", "--count", "6"], WATCHED),
    "watch-nobody": (["watch", "laptop.web", "--timeout", "100ms"], UNWATCHED),
    "watch-count-not-reached": (["watch", "laptop.web", "--timeout", "1s", "--count", "9"], None),
    "watch-refused": (["watch", "laptop.web"], {"watch": error(9, "too many names are watched")}),
    "publish": (["publish", "laptop.web", "--endpoint", "tcp:192.0.2.7:443"], None),
    "publish-quiet": (["-q", "publish", "laptop.web", "192.0.2.7:443"], None),
    "publish-verbose": (["-v", "publish", "laptop.web", "192.0.2.7:443"], None),
    "publish-json": (["--json", "publish", "laptop.web", "192.0.2.7:443"], None),
    "publish-well": (["publish", "laptop.web", "192.0.2.7:443"], WELL_STORED),
    "publish-badly": (["publish", "laptop.web", "192.0.2.7:443", "--color=always"], BADLY_STORED),
    "publish-no-seq": (["publish", "0.printer", "192.0.2.7:631"], {"publish": [
        ("done", {k: v for k, v in answers.REPORT.items() if k != "seq"})]}),
    "publish-no-endpoint": (["publish", "laptop.web"], None),
    "publish-endpoints-11": (["publish", "laptop.web", *("192.0.2.7:%d" % n for n in range(1, 12))],
                             None),
    "publish-comment-long": (["publish", "laptop", "192.0.2.7:1", "--comment", "x" * 40], None),
    "unpublish-unsecured": (["unpublish", "0.printer"], {"unpublish": [("done", {
        "name": "0.printer", "authority": "0", "stored": 0, "targets": 0, "refused": [],
        "renew_s": 0, **answers.tally(0, 0, 0, 90)})]}),
    "publish-unsecured": (["publish", "0.printer", "192.0.2.7:1"], {"publish": [("done", {
        "name": "0.printer", "authority": "0", "stored": 19, "targets": 20, "refused": [],
        "renew_s": 1140, **answers.tally()})]}),
    "unpublish": (["unpublish", "laptop.web"], None),
    "unpublish-json": (["--json", "unpublish", "laptop.web"], None),
    "publications": (["publications"], None),
    "publications-clouds": (["publications"], {"publications": [
        answers.publication(), answers.publication(cloud="lab", state="checking"),
        answers.publication(cloud="lan", state="storing", renew_s=0,
                            last_error="the cloud lan is gone"), ("done", {"count": 3})]}),
    "publications-json": (["publications", "--json"], None),
    "publications-none": (["publications"], NOTHING),
    "publications-none-json": (["publications", "--json"], NOTHING),
    "key-new": (["key", "new", "laptop"], None),
    "key-new-quiet": (["key", "new", "laptop", "-q"], None),
    "key-show-json": (["key", "show", "laptop", "--json"], None),
    "key-show-hostile": (["key", "show", "a"], RAW_KEY),
    "key-list": (["key", "list"], None),
    "key-list-quiet": (["key", "list", "-q"], None),
    "key-list-json": (["key", "list", "--json"], None),
    "key-list-none": (["key", "list"], NOTHING),
    "key-export": (["key", "export", "laptop"], None),
    "key-export-json": (["key", "export", "laptop", "-", "--json"], None),
    "status": (["status"], None),
    "status-verbose": (["status", "-v"], None),
    "status-json": (["status", "--json"], None),
    "status-testnet": (["--node", "3", "status"], TESTNET),
    "clouds": (["clouds"], None),
    "clouds-watch": (["clouds", "--watch"], None),
    "clouds-json": (["clouds", "--json"], None),
    "clouds-none": (["clouds"], NOTHING),
    "peers": (["peers"], None),
    "peers-verbose": (["peers", "-v"], None),
    "peers-json": (["peers", "--json"], None),
    "peers-none": (["peers"], NOTHING),
    "ping": (["ping", "192.0.2.1:6881"], None),
    "ping-json": (["ping", "[2001:DB8::1]:6881", "--json"], None),
    "doctor": (["doctor"], None),
    "doctor-quiet": (["doctor", "-q"], None),
    "doctor-json": (["doctor", "--json"], None),
    "doctor-well": (["doctor"], {"doctor": [
        answers.finding("names", "ok", "none is published here"),
        ("done", {"count": 1, "failures": 0, "warnings": 0})]}),
    "doctor-hostile": (["doctor"], {"doctor": [
        answers.finding("na\x1bmes", "warn", "\x1b[2J", HOSTILE),
        ("done", {"count": 1, "failures": 0, "warnings": 1})]}),
    "help": (["--help"], None),
    "help-key": (["help", "key"], None),
    "help-publish": (["publish", "--help"], None),
    "usage-none": ([], None),
    "usage-command": (["pubish", "x"], None),
    "usage-key": (["key"], None),
    "usage-foreign-option": (["status", "--wait", "all"], None),
    "usage-arguments": (["resolve"], None),
    "usage-too-many": (["resolve", "a", "b\x1b"], None),
}


class Golden(harness.CliTest):
    def shown(self, arguments, script):
        self.serve(script)
        ran = self.run_pnr(*arguments)
        return (b"--- stdout\n" + ran.stdout + b"--- stderr\n" + ran.stderr
                + b"--- exit %d\n" % ran.returncode)

    def test_cases(self):
        for name, (arguments, script) in CASES.items():
            path = os.path.join(harness.HERE, "golden", name + ".txt")
            with self.subTest(name):
                shown = self.shown(arguments, script)
                if os.environ.get("PNR_UPDATE_GOLDEN"):
                    with open(path, "wb") as file:
                        file.write(shown)
                with open(path, "rb") as file:
                    self.assertEqual(shown.decode(), file.read().decode())

    def test_no_stray_files(self):
        names = {name + ".txt" for name in CASES}
        self.assertEqual(set(os.listdir(os.path.join(harness.HERE, "golden"))), names)

    def test_each_command_has_examples(self):
        commands = [line[2:16].strip() for line in self.check(0, "--help").splitlines()
                    if line.startswith("  ") and line[2:3].isalpha()]
        self.assertIn("key export", commands)
        for command in commands:
            with self.subTest(command):
                text = self.check(0, *command.split(), "--help")
                self.assertEqual(text, self.check(0, "help", *command.split()))
                self.assertIn("Examples:\n  ", text)
                self.assertIn("Usage: pnr " + command, text)


if __name__ == "__main__":
    unittest.main()
