# SPDX-License-Identifier: MIT
"""Terminals: colour and progress where there is one, and nothing of it where there is none."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import termios
import threading
import unittest

import answers
import harness
from answers import result, step

COMMANDS = [["resolve", "x"], ["watch", "x", "--count", "3"], ["publish", "x", "192.0.2.7:1"], ["unpublish", "x"], ["publications"],
            ["key", "list"], ["key", "show", "a"], ["status"], ["status", "-v"], ["peers"],
            ["ping", "127.0.0.1:1"], ["--help"], ["bogus"]]
CLEAR = b"\r\x1b[K"


class Terminal(harness.CliTest):
    def run_on_terminal(self, *arguments, streams=("stdout", "stderr"), columns=80, at=None,
                        **environment):
        """Runs pnr with these streams on a terminal. at: called with the process, when it runs.
        Returns the exit code, what the terminal got, and the other streams' bytes."""
        main, sub = pty.openpty()
        attributes = termios.tcgetattr(sub)
        attributes[1] &= ~termios.OPOST  # line ends as they are written
        termios.tcsetattr(sub, termios.TCSANOW, attributes)
        fcntl.ioctl(sub, termios.TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
        got = bytearray()

        def read():
            try:
                while data := os.read(main, 4096):
                    got.extend(data)
            except OSError:
                pass  # the last one on the other side is gone

        places = {name: sub if name in streams else subprocess.PIPE
                  for name in ("stdout", "stderr")}
        with subprocess.Popen([harness.PNR, *arguments], stdin=subprocess.DEVNULL, **places,
                              env=self.environment(**environment)) as process:
            os.close(sub)
            reader = threading.Thread(target=read)
            reader.start()
            if at is not None:
                at(process)
            out, err = process.communicate(timeout=harness.TIMEOUT_S)
            reader.join()
        os.close(main)
        return process.returncode, bytes(got), (out or b"") + (err or b"")

    def test_no_escapes_in_pipes(self):
        self.serve()
        for arguments in COMMANDS:
            with self.subTest(arguments):
                ran = self.run_pnr(*arguments)
                self.assertNotIn(b"\x1b", ran.stdout + ran.stderr)
                self.assertNotIn(b"\r", ran.stdout + ran.stderr)

    def test_color(self):
        self.serve()
        for arguments in ([], ["--color=auto"], ["--color=always"]):
            _, got, _ = self.run_on_terminal("resolve", "x", *arguments)
            self.assertIn(b"\x1b[1mtcp:192.0.2.7:443\x1b[0m", got)
        _, got, _ = self.run_on_terminal("status", "--color=never")
        self.assertNotIn(b"\x1b", got)
        self.assertIn(b"\x1b[1m", self.run_pnr("status", "--color=always").stdout)

    def test_no_color(self):
        self.serve()
        for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            _, got, _ = self.run_on_terminal("status", **environment)
            self.assertNotIn(b"\x1b", got)
        _, got, _ = self.run_on_terminal("status", NO_COLOR="")  # empty is as not set
        self.assertIn(b"\x1b[1m", got)
        _, got, _ = self.run_on_terminal("--color=always", "status", NO_COLOR="1")
        self.assertIn(b"\x1b[1m", got)

    def test_progress_of_publish(self):
        go_on = threading.Event()

        def answer(_):
            yield step("reading")
            yield step("storing", stored=9, targets=20)
            go_on.wait(harness.TIMEOUT_S)
            yield ("done", answers.REPORT)

        daemon = self.serve({"publish": answer})

        def wait(_):
            daemon.wait_asked("publish")
            go_on.set()

        code, got, out = self.run_on_terminal("publish", "laptop", "192.0.2.7:1",
                                              streams=("stderr",), at=wait)
        self.assertEqual(code, 0)
        self.assertIn("laptop: reading what is there ·".encode(), got)
        self.assertIn("laptop: stored on 9 of 20 nodes ·".encode(), got)
        # The line is gone in the end, and nothing of it went to stdout.
        self.assertTrue(got.endswith(CLEAR))
        self.assertTrue(out.startswith(answers.NAME.encode() + b"\nstored on 17 of 20"))
        self.assertNotIn(b"\x1b", out)

    def test_progress_of_resolve(self):
        self.serve()
        _, got, _ = self.run_on_terminal("resolve", "laptop.web", NO_COLOR="1")
        self.assertTrue(got.startswith(CLEAR + "resolving laptop.web · ".encode()), got)
        self.assertIn(CLEAR + b"tcp:192.0.2.7:443\n", got)

    def test_progress_fits(self):
        self.serve()
        _, got, _ = self.run_on_terminal("resolve", "ä" * 300, columns=40, NO_COLOR="1")
        line = got.split(CLEAR)[1].decode()
        self.assertLess(len(line), 40)
        self.assertTrue(line.endswith("…"))

    def test_no_progress(self):
        self.serve()
        for arguments, environment in ((["-q"], {}), ([], {"TERM": "dumb"})):
            _, got, _ = self.run_on_terminal("resolve", "x", *arguments, streams=("stderr",),
                                             **environment)
            self.assertEqual(got, b"")

    def test_error_ends_the_line(self):
        self.serve({"resolve": answers.error(3, "nobody")})
        code, got, _ = self.run_on_terminal("resolve", "x", NO_COLOR="1")
        self.assertEqual(code, 3)
        self.assertTrue(got.endswith(CLEAR + b"pnr: nobody\n"), got)

    def test_widths(self):
        self.serve()
        for arguments in (["publications"], ["status"], ["peers"], ["resolve", "x"],
                          ["key", "list"], ["publish", "x", "192.0.2.7:1"]):
            with self.subTest(arguments):
                _, got, _ = self.run_on_terminal(*arguments, streams=("stdout",), NO_COLOR="1")
                for line in got.decode().splitlines():
                    self.assertLessEqual(len(line), 80, line)

    def test_whole_names(self):
        self.serve()
        _, got, _ = self.run_on_terminal("publications")
        self.assertNotIn(answers.KEY.encode(), got)
        _, got, _ = self.run_on_terminal("publications", "-v")
        self.assertIn(answers.KEY.encode(), got)

    def test_json_is_ascii_on_a_terminal(self):
        self.serve({"resolve": [result(comment="\u009b\u202e".encode("utf-16-le")),
                                answers.done()]})
        _, got, _ = self.run_on_terminal("--json", "resolve", "x", streams=("stdout",))
        self.assertEqual(json.loads(got.decode("ascii"))["comment"], "\u009b\u202e")

    def test_no_key_on_a_terminal(self):
        daemon = self.serve()
        code, got, _ = self.run_on_terminal("key", "export", "a")
        self.assertEqual(code, 2)
        self.assertNotIn(b"PRIVATE", got)
        self.assertEqual(daemon.asked, [])
        code, got, _ = self.run_on_terminal("key", "export", "a", "-")
        self.assertEqual(code, 0)
        self.assertIn(b"PRIVATE", got)

    def test_interrupt(self):
        daemon = self.serve({"resolve": [("hang",)]})

        def interrupt(process):
            daemon.wait_asked("resolve")
            process.send_signal(2)

        code, got, _ = self.run_on_terminal("resolve", "x", at=interrupt, NO_COLOR="1")
        self.assertEqual(code, -2)
        self.assertTrue(got.endswith(CLEAR + b"pnr: cancelled\n"), got)


if __name__ == "__main__":
    unittest.main()
