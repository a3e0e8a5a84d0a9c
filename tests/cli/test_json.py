# SPDX-License-Identifier: MIT
"""docs/json.md and what --json prints are the same, field by field, both ways."""

import json
import os
import re
import unittest

import answers
import harness
from answers import change, done, result, step

DOCUMENT = os.path.join(harness.HERE, "..", "..", "docs", "json.md")
HEADING = re.compile(r"^##+ (\w+)$")
ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| ?([^|]*) ?\|$")
TYPES = {"string": str, "integer": int, "number": float, "boolean": bool}

# Runs that between them print every field.
RUNS = [
    (["resolve", "x"], None),
    (["resolve", "x"], {"resolve": [
        result(comment=None, machine=None, seq=None, endpoints=[], rtt_us=34000),
        result(comment=b"\0\xd8", payload=b"\1", payload_type=1),
        result(payload=b"a\0", payload_type=2), done(3)]}),
    (["resolve", "x", "--trace"], {"resolve": answers.HOPS + [result(density=97), done()]}),
    (["resolve", "x", "--trace"], {"resolve": answers.ASKED + [result(cloud="lab"), done()]}),
    (["resolve", "x", "--cloud", "eth0"], {"resolve": [
        result(cloud="eth0", scope_id=3, endpoints=[answers.endpoint("fe80::1", 443)]), done()]}),
    (["watch", "x", "--cloud", "lab", "--count", "2"], {"watch": [
        change("added", cloud="lab"), step("watching"), change("gone", cloud="lab")]}),
    (["watch", "x", "--count", "3"], None),
    (["watch", "x", "--count", "3"], {"watch": [
        change("added", comment=b"\0\xd8", payload=b"\1", payload_type=1, machine=None, seq=None),
        change("changed", payload=b"a\0", payload_type=2), step("watching"), change("gone")]}),
    (["publish", "x", "192.0.2.7:1"], None),
    (["publish", "x", "192.0.2.7:1"],
     {"publish": [("done", {k: v for k, v in answers.REPORT.items() if k != "seq"})]}),
    (["unpublish", "x"], None),
    (["publications"], None),
    (["key", "new", "a"], None),
    (["key", "show", "a"], None),
    (["key", "list"], None),
    (["key", "import", "a", "-"], None),
    (["key", "export", "a"], None),
    (["status"], None),
    (["clouds"], None),
    (["peers"], None),
    (["ping", "127.0.0.1:1"], None),
    (["doctor"], {"doctor": [answers.finding("clock", "warn", "nobody keeps it right", "do it"),
                             ("done", {"count": 1, "failures": 0, "warnings": 1})]}),
]


def documented():
    """{section: {field: (type, is optional)}}"""
    sections = {}
    section = None
    with open(DOCUMENT, encoding="utf-8") as file:
        for line in file:
            if heading := HEADING.match(line):
                section = sections.setdefault(heading[1], {})
            elif row := ROW.match(line):
                section[row[1]] = (row[2].strip(), row[3].startswith("optional"))
    return {name: fields for name, fields in sections.items() if fields}


class Json(harness.CliTest):
    def setUp(self):
        super().setUp()
        self.sections = documented()
        self.seen = {name: set() for name in self.sections}

    def check_value(self, kind, value, where):
        if kind == "object of integers":
            self.assertTrue(all(type(each) is int for each in value.values()), where)
        elif kind == "array of integers":
            self.assertTrue(all(type(each) is int for each in value), where)
        elif part := re.fullmatch(r"array of \*(\w+)\*", kind):
            self.assertIs(type(value), list, where)
            for each in value:
                self.check_object(part[1], each)
        else:
            self.assertIs(type(value), TYPES[kind], where)

    def check_object(self, name, fields):
        section = self.sections[name]
        self.assertEqual(set(fields) - set(section), set(), f"{name}: not documented")
        for field, (kind, is_optional) in section.items():
            where = f"{name}.{field}"
            if field in fields:
                self.seen[name].add(field)
                self.check_value(kind, fields[field], where)
            else:
                self.assertTrue(is_optional, where + " is missing")

    def check_line(self, line):
        fields = json.loads(line)
        self.assertEqual(list(fields)[:2], ["schema", "type"])
        self.assertEqual(fields.pop("schema"), 1)
        self.check_object(fields.pop("type"), fields)

    def test_document(self):
        with open(DOCUMENT, encoding="utf-8") as file:
            self.assertIn("\nVersion 1.\n", file.read())
        self.assertGreaterEqual(len(self.sections), 12)
        for arguments, script in RUNS:
            with self.subTest(arguments):
                self.serve(script)
                out = self.check(0, "--json", *arguments, stdin=answers.PEM.encode())
                self.assertTrue(out.endswith("\n"))
                for line in out.splitlines():
                    self.check_line(line)
        out = self.check(0, "--json", "key", "export", "a", self.path("a.pem"))
        self.check_line(out)
        for name, section in self.sections.items():
            self.assertEqual(set(section) - self.seen[name], set(), f"{name}: never printed")

    def test_repaired(self):
        # A daemon's text that is no UTF-8 does not break the line.
        self.serve({"key_show": [("done", {**answers.key("a"), "path": b"/a\xff\x80b"})]})
        told = json.loads(self.check(0, "--json", "key", "show", "a"))
        self.assertEqual(told["path"], "/a\ufffd\ufffdb")

    def test_comment_with_nul(self):
        self.serve({"resolve": [result(comment="a\0b".encode("utf-16-le")), done()]})
        told = json.loads(self.check(0, "--json", "resolve", "x"))
        self.assertEqual(told["comment"], "a\0b")

    def test_errors_are_not_data(self):
        self.serve({"resolve": answers.error(3)})
        self.assertEqual(self.check(3, "--json", "resolve", "x"), "")

    def test_numbers(self):
        self.serve({"resolve": [result(seq=2**62 - 1, elapsed_us=1), done()]})
        out = self.check(0, "--json", "resolve", "x")
        self.assertIn('"seq":4611686018427387903,', out)
        self.assertIn('"elapsed_ms":0.001,', out)


if __name__ == "__main__":
    unittest.main()
