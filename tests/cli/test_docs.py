# SPDX-License-Identifier: MIT
"""The manual and the completions know every command and option that the program knows."""

import os
import re
import shutil
import subprocess
import unittest

import harness

ROOT = os.path.join(harness.HERE, "..", "..")
COMPLETION = os.path.join(ROOT, "packaging", "completion")


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


class Docs(harness.CliTest):
    def setUp(self):
        super().setUp()
        self.options = re.findall(r'^    \{CLI_OPTION_\w+, "--([a-z-]+)"',
                                  read("node", "cli", "options.c"), re.MULTILINE)
        self.commands = re.findall(r'^        \.name = "([a-z ]+)"',
                                   read("node", "cli", "command.c"), re.MULTILINE)
        self.assertGreater(len(self.options), 15)
        self.assertGreater(len(self.commands), 10)

    def test_manual(self):
        manual = read("docs", "man", "pnr.1").replace("\\-", "-")
        for option in self.options:
            self.assertRegex(manual, rf"--{option}\b")
        for command in self.commands:
            self.assertRegex(manual, rf'(?m)^\.BI? "?pnr {command}\b')
        for code in range(7):
            self.assertIn(f"\n.TP\n.B {code}\n", manual)

    def test_help(self):
        text = self.check(0, "--help") + "".join(
            self.check(0, "help", *command.split()) for command in self.commands)
        for option in self.options:
            if option not in ("quiet", "verbose"):
                self.assertRegex(text, rf"--{option}\b")

    def test_completions(self):
        for name in ("pnr.bash", "_pnr", "pnr.fish"):
            text = read("packaging", "completion", name)
            for option in self.options:
                self.assertRegex(text, rf"(--|-l ){option}\b", name)
            for command in self.commands:
                for word in command.split():
                    self.assertRegex(text, rf"\b{word}\b", name)

    def complete(self, *words):
        script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pnr; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        bash = shutil.which("bash")
        if bash is None:
            if not os.environ.get("PNR_ALLOW_SKIP"):
                self.fail("no bash, which the completion is tested with; PNR_ALLOW_SKIP skips this")
            self.skipTest("no bash")
        path = os.path.dirname(harness.PNR) + ":" + os.environ["PATH"]
        done = subprocess.run(
            [bash, "-c", script, "bash", os.path.join(COMPLETION, "pnr.bash"), "pnr", *words],
            capture_output=True, timeout=60, env=self.environment(PATH=path), check=True)
        return done.stdout.decode().split()

    def test_bash(self):
        self.serve()
        self.assertEqual(self.complete("pub"), ["publish", "publications"])
        self.assertEqual(self.complete("--node", "3", "st"), ["status"])
        self.assertEqual(self.complete("key", "ex"), ["export"])
        self.assertEqual(self.complete("resolve", "x", "--wait", ""),
                         ["cache", "first", "settled", "all"])
        self.assertEqual(self.complete("publish", "x", "--en"), ["--endpoint"])
        self.assertEqual(self.complete("status", "--en"), [])
        self.assertEqual(self.complete("key", "show", ""), ["laptop", "printer-2nd-floor"])
        self.assertEqual(self.complete("--node", "2", "publish", "lap"), ["laptop"])
        self.assertEqual(self.daemon.hello["node"], 2)
        self.assertEqual(self.complete("unpublish", "0.p"), ["0.printer"])


if __name__ == "__main__":
    unittest.main()
