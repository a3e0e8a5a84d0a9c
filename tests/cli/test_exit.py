# SPDX-License-Identifier: MIT
"""Exit codes, each for each cause; and what a request says on the wire."""

import os
import shutil
import signal
import socket
import subprocess
import unittest

import answers
import harness
from answers import done, error, result, step

# What the daemon says: how the program ends.
CODES = {1: 1, 2: 2, 3: 3, 4: 4, 6: 6, 7: 1, 8: 6, 9: 1, 10: 1, 77: 1}

COMMANDS = {
    "resolve": ["resolve", "laptop.web"],
    "watch": ["watch", "laptop.web", "--count", "3"],
    "publish": ["publish", "laptop.web", "192.0.2.7:443"],
    "unpublish": ["unpublish", "laptop.web"],
    "publications": ["publications"],
    "key_new": ["key", "new", "a"],
    "key_show": ["key", "show", "a"],
    "key_list": ["key", "list"],
    "key_export": ["key", "export", "a"],
    "status": ["status"],
    "peers": ["peers"],
    "ping": ["ping", "127.0.0.1:1"],
}


class Exit(harness.CliTest):
    def test_done(self):
        self.serve()
        for word, arguments in COMMANDS.items():
            with self.subTest(word):
                self.check(0, *arguments)

    def test_errors_of_the_daemon(self):
        for code, expected in CODES.items():
            self.serve({word: error(code, "so it is") for word in COMMANDS})
            for word, arguments in COMMANDS.items():
                with self.subTest(f"{word}, {code}"):
                    ran = self.run_pnr(*arguments)
                    self.assertEqual(ran.returncode, expected)
                    self.assertEqual(ran.stdout, b"")
                    self.assertIn(b"pnr: so it is\n", ran.stderr)

    def test_usage(self):
        self.serve()
        lines = [
            [], ["bogus"], ["key"], ["key", "bogus"], ["help", "bogus"], ["resolve"],
            ["resolve", "a", "b"], ["resolve", "a", "--wait", "long"], ["--node", "x", "status"],
            ["status", "--endpoint", "192.0.2.7:1"], ["publish", "a"], ["publish", "a", "b"],
            ["publish", "A.b", "192.0.2.7:1"], ["publish", "", "192.0.2.7:1"],
            ["publish", "a", "--comment", "x" * 40, "192.0.2.7:1"], ["unpublish", ".x"],
            ["key", "new", "0"], ["key", "new", "UPPER"], ["key", "show", "a.b"],
            ["key", "new", answers.KEY], ["key", "new", "--", "-"  * 33], ["ping", "localhost"],
            ["ping", "::1:99"], ["watch"], ["watch", "a", "--count", "0"], ["watch", "a", "--wait", "all"], ["testnet", "0"], ["testnet", "many"],
            ["--control", "unix:" + "x" * 600, "status"],
        ]
        for line in lines:
            with self.subTest(line):
                ran = self.run_pnr(*line)
                self.assertEqual(ran.returncode, 2, ran.stderr)
                self.assertEqual(ran.stdout, b"")
                self.assertTrue(ran.stderr.startswith(b"pnr: "))
        self.assertEqual(self.daemon.asked, [])

    def test_empty_argument(self):
        """A shell's variable that is not set: told like one that is missing."""
        for line in (["resolve", ""], ["watch", ""], ["unpublish", ""], ["key", "show", ""]):
            with self.subTest(line):
                ran = self.run_pnr(*line)
                self.assertEqual(ran.returncode, 2)
                self.assertTrue(ran.stderr.startswith(b"pnr: expected: pnr " + " ".join(line).strip().encode()), ran.stderr)

    def test_too_many_endpoints(self):
        self.serve()
        words = ["192.0.2.7:%d" % port for port in range(1, 12)]
        options = [word for each in words for word in ("--endpoint", each)]
        lines = [[*words], [*options], [*options[:20], *words[:1]], [*words, *words]]
        for name in ("laptop.web", "0.printer"):
            for line in lines:
                with self.subTest((name, line)):
                    ran = self.run_pnr("publish", name, *line)
                    self.assertEqual(ran.returncode, 6, ran.stderr)
                    self.assertIn(b"pnr: a name has at most 10 endpoints", ran.stderr)
            self.check(2, "publish", name, *words, "192.0.2.7") # the last makes no sense
        self.assertEqual(self.daemon.asked, [])
        self.check(0, "publish", "laptop.web", *words[:10])

    def test_unsecured_needs_no_key(self):
        self.serve()
        for command in ("publish", "unpublish"):
            arguments = [command, "0.printer"] + ["192.0.2.7:1"] * (command == "publish")
            ran = self.run_pnr(*arguments)
            self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertEqual([arguments["name"] for _, arguments in self.daemon.asked], [b"0.printer"] * 2)

    def test_unreachable(self):
        for word, arguments in COMMANDS.items():
            with self.subTest(word):
                ran = self.run_pnr(*arguments)
                self.assertEqual(ran.returncode, 5)
                self.assertIn(b"--control", ran.stderr)
        with open(self.socket, "w", encoding="utf-8"):
            self.check(5, "status")
        os.unlink(self.socket)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.socket)  # and nobody listens
            self.check(5, "status")

    def test_hangups(self):
        self.serve({"status": [("hangup",)], "resolve": [result(final=False), ("hangup",)]})
        self.check(5, "status")
        # What was found so far is shown all the same.
        self.assertIn("tcp:192.0.2.7:443", self.check(5, "resolve", "x"))

    def test_greetings(self):
        self.serve(refusal={"code": 6, "text": "not for you"})
        self.check(6, "status")
        self.serve(refusal={"code": 3, "text": "no node 9"})
        self.check(3, "--node", "9", "status")
        self.serve(refusal="silence")
        self.check(5, "status", "--timeout", "50ms")

    def test_broken_protocol(self):
        for raw in (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\x02xx"):
            self.serve({"status": [("raw", raw)]})
            self.check(1, "status")
        for word, fields in (("status", {}), ("key_show", {}), ("key_export", {}), ("publish", {})):
            self.serve({word: [("done", fields)]})
            with self.subTest(word):
                self.assertIn(b"makes no sense", self.run_pnr(*COMMANDS[word]).stderr)
                self.check(1, *COMMANDS[word])
        self.serve({"resolve": [("result", {}), done()], "peers": [("result", {}), done()]})
        self.check(1, "resolve", "x")
        self.check(1, "peers")

    def test_timeouts(self):
        self.serve({word: [("hang",)] for word in COMMANDS})
        # Long enough to be greeted on a busy machine. Of resolve and ping the daemon counts the time.
        for word in ("publish", "status", "key_new"):
            with self.subTest(word):
                self.check(4, *COMMANDS[word], "--timeout", "1")

    def test_publish_goes_on(self):
        self.serve({"publish": [step("storing", stored=1, targets=20), ("hang",)]})
        ran = self.run_pnr(*COMMANDS["publish"], "--timeout", "2")
        self.assertEqual(ran.returncode, 4)
        self.assertIn(b"goes on by itself", ran.stderr)

    def test_stdout_full(self):
        self.serve()
        with open("/dev/full", "wb") as full:
            for arguments in (["status"], ["--json", "status"], ["--help"], ["key", "export", "a"]):
                ran = subprocess.run([harness.PNR, *arguments], stdout=full, timeout=60,
                                     stderr=subprocess.PIPE, env=self.environment(), check=False)
                self.assertEqual(ran.returncode, 1, arguments)
                self.assertIn(b"cannot write", ran.stderr)

    def test_no_right_to_control(self):
        self.serve({"key_new": error(6, "resolve only")}, access="resolve")
        self.assertIn(b"control socket", self.run_pnr("key", "new", "a").stderr)
        self.check(0, "resolve", "x")


class Signals(harness.CliTest):
    def interrupt(self, word, number, steps):
        daemon = self.serve({word: steps})
        with subprocess.Popen([harness.PNR, *COMMANDS[word]], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=self.environment()) as process:
            daemon.wait_asked(word)
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
        self.assertIn("id", daemon.wait_asked("cancel"))
        self.assertEqual(process.returncode, -number)
        self.assertIn(b"cancelled", err)
        return out, err

    def test_interrupt_of_a_watch(self):
        """It has no other end: nothing was cancelled."""
        for line in (["watch", "laptop.web"], ["clouds", "--watch"]):
            with self.subTest(line):
                daemon = self.serve({line[0]: [("hang",)]})
                with subprocess.Popen([harness.PNR, *line], stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, env=self.environment()) as process:
                    daemon.wait_asked(line[0])
                    process.send_signal(signal.SIGTERM)
                    _, err = process.communicate(timeout=60)
                self.assertEqual(process.returncode, -signal.SIGTERM)
                self.assertEqual(err, b"")

    def test_interrupt(self):
        for word in ("resolve", "publish", "status"):
            with self.subTest(word):
                out, _ = self.interrupt(word, signal.SIGINT, [("hang",)])
                self.assertEqual(out, b"")

    def test_terminate(self):
        self.interrupt("resolve", signal.SIGTERM, [("hang",)])

    def test_interrupt_greeting(self):
        self.serve(refusal="silence")
        with subprocess.Popen([harness.PNR, "status"], stderr=subprocess.PIPE,
                              env=self.environment()) as process:
            while self.daemon.hello is None:
                pass
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
        self.assertEqual(process.returncode, -signal.SIGINT)


class Wire(harness.CliTest):
    def asked(self, word, *arguments, **options):
        daemon = self.serve()
        self.check(0, *arguments, **options)
        return daemon.arguments(word)

    def test_resolve(self):
        asked = self.asked("resolve", "resolve", "pk:x.y", "--wait", "all", "--timeout", "1.5")
        self.assertEqual(asked["name"], b"pk:x.y")
        self.assertEqual(asked["wait"], b"all")
        self.assertEqual(asked["timeout_ms"], 1500)
        self.assertEqual(self.asked("resolve", "resolve", "x").get("wait", b"settled"), b"settled")

    def test_publish(self):
        path = self.path("payload")
        with open(path, "wb") as file:
            file.write(b"\0\1\2")
        asked = self.asked("publish", "publish", "a.b", "--endpoint", "udp:[2001:db8::1]:53",
                           "132:192.0.2.7:9", "--comment", "é💻", "--ttl", "10m", "--payload", path)
        self.assertEqual(asked["name"], b"a.b")
        self.assertEqual(asked["comment"], "é💻".encode("utf-16-le"))
        self.assertEqual((asked["payload"], asked["payload_type"]), (b"\0\1\2", 1))
        self.assertEqual(asked["ttl_s"], 600)
        self.assertEqual([(e["port"], e["proto"]) for e in asked["endpoints"]], [(53, 17), (9, 132)])

    def test_payload(self):
        text = ["publish", "a", "192.0.2.7:1", "--payload", "-", "--payload-type", "string"]
        asked = self.asked("publish", *text, stdin="ü".encode())
        self.assertEqual((asked["payload"], asked["payload_type"]), (b"\xfc\0", 2))
        self.asked("publish", *text[:5], stdin=b"x" * 4096)
        self.check(1, *text[:5], stdin=b"x" * 4097)
        asked = self.asked("publish", "publish", "a", "--payload", "-", stdin=b"alone")
        self.assertEqual((asked["payload"], asked.get("endpoints", [])), (b"alone", []))
        self.check(2, *text, stdin=b"\xff")
        self.check(2, *text, stdin=b"x" * 2049)
        self.check(1, *text[:4], self.path("absent"))

    def test_node(self):
        daemon = self.serve()
        self.check(0, "status", "--node", "7")
        self.assertEqual(daemon.hello["node"], 7)

    def test_ping(self):
        self.assertEqual(self.asked("ping", "ping", "[0::1]:99")["addr"], b"[::1]:99")
        self.assertEqual(self.asked("ping", "ping", "127.0.0.1:99", "--timeout", "1")["timeout_ms"],
                         1000)

    def test_control(self):
        self.serve()
        here = self.socket
        self.check(0, "--control", here, "status", PNR_CONTROL="/absent")
        self.check(0, "--control", "unix:" + here, "status", PNR_CONTROL="")
        self.check(5, "--control", "/absent", "status")


class Testnet(harness.CliTest):
    def put(self, *path):
        """A pnrd that says from where and how it was called."""
        path = self.path(os.path.join(*path))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\necho {path} "$@"\nexit 9\n')
        os.chmod(path, 0o755)
        return path

    def test_places(self):
        # A copy of pnr, so that what lies beside it is known.
        program = self.path("bin/pnr")
        os.mkdir(os.path.dirname(program))
        shutil.copy(harness.PNR, program)

        def run(code):
            environment = self.environment(PATH=self.path("elsewhere") + ":/bin")
            ran = subprocess.run([program, "testnet", "3"], capture_output=True, timeout=60,
                                 env=environment, check=False)
            self.assertEqual(ran.returncode, code, ran.stderr)
            return ran.stdout.decode()

        self.assertEqual(run(1), "")
        # Each is found before those found so far.
        for place in (["elsewhere", "pnrd"], ["sbin", "pnrd"], ["bin", "pnrd"]):
            path = self.put(*place)
            self.assertEqual(run(9), f"{path} --testnet 3\n")

    def test_words(self):
        program = self.path("bin/pnr")
        os.mkdir(os.path.dirname(program))
        shutil.copy(harness.PNR, program)
        path = self.put("bin", "pnrd")
        arguments = ["testnet", "20", "--listen", "127.0.0.2", "--port", "7000", "--control", "/c"]
        ran = subprocess.run([program, *arguments], capture_output=True, timeout=60,
                             env=self.environment(), check=False)
        self.assertEqual(ran.stdout.decode(),
                         path + " --testnet 20 --listen 127.0.0.2 --port 7000 --control /c\n")


if __name__ == "__main__":
    unittest.main()
