# SPDX-License-Identifier: MIT
"""Runs pnr against the fake daemon. ctest says where pnr is: PNR."""

import os
import subprocess
import tempfile
import unittest

import answers
from fake_daemon import FakeDaemon

PNR = os.environ.get("PNR", "pnr")
HERE = os.path.dirname(os.path.abspath(__file__))
TIMEOUT_S = 60


class CliTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pnr-cli-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.socket = os.path.join(self.folder, "control.sock")
        self.daemon = None

    def path(self, name):
        return os.path.join(self.folder, name)

    def environment(self, **changes):
        # Nothing of the tester's own: no colour wishes, no daemon of his.
        kept = {key: value for key, value in os.environ.items()
                if key in ("PATH", "LD_LIBRARY_PATH") or key.endswith("SAN_OPTIONS")}
        return {**kept, "PNR_CONTROL": self.socket, "TERM": "xterm", "HOME": self.folder, **changes}

    def serve(self, script=None, **options):
        """Starts the fake daemon; script replaces some of the usual answers."""
        if self.daemon is not None:
            self.daemon.close()
            os.unlink(self.socket)
        self.daemon = FakeDaemon(self.socket, {**answers.SCRIPT, **(script or {})}, **options)
        self.addCleanup(self.daemon.close)
        return self.daemon

    def run_pnr(self, *arguments, stdin=b"", **environment):
        done = subprocess.run([PNR, *arguments], input=stdin, capture_output=True,
                              timeout=TIMEOUT_S, env=self.environment(**environment), check=False)
        self.assertNotIn(b"Sanitizer", done.stderr)
        self.assertNotIn(b"runtime error", done.stderr)
        return done

    def check(self, code, *arguments, **options):
        """Runs pnr and checks its exit code; returns stdout as text."""
        done = self.run_pnr(*arguments, **options)
        self.assertEqual(done.returncode, code, done.stderr.decode())
        return done.stdout.decode()
