# SPDX-License-Identifier: MIT
"""Secret keys: where they go, and where they never go."""

import json
import os
import unittest

import answers
import harness


class KeyFile(harness.CliTest):
    def test_export_to_file(self):
        self.serve()
        path = self.path("laptop.pem")
        os.umask(0)
        ran = self.run_pnr("key", "export", "laptop", path)
        self.assertEqual((ran.returncode, ran.stdout), (0, b""))
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), answers.PEM)
        self.assertEqual(os.stat(path).st_mode & 0o7777, 0o600)

    def test_export_keeps_what_is_there(self):
        self.serve()
        path = self.path("there")
        with open(path, "w", encoding="utf-8") as file:
            file.write("mine")
        self.check(1, "key", "export", "laptop", path)
        link = self.path("link")
        os.symlink(self.path("nowhere"), link)
        self.check(1, "key", "export", "laptop", link)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "mine")
        self.assertFalse(os.path.exists(self.path("nowhere")))

    def test_export_json(self):
        self.serve()
        path = self.path("laptop.pem")
        told = json.loads(self.check(0, "--json", "key", "export", "laptop", path))
        self.assertEqual(told["file"], path)
        self.assertNotIn("pem", told)
        self.assertEqual(json.loads(self.check(0, "--json", "key", "export", "laptop"))["pem"],
                         answers.PEM)

    def test_import(self):
        daemon = self.serve()
        self.check(0, "key", "import", "laptop", "-", stdin=answers.PEM.encode())
        self.assertEqual(daemon.arguments("key_import"),
                         {"label": b"laptop", "pem": answers.PEM.encode()})
        path = self.path("a.pem")
        with open(path, "w", encoding="utf-8") as file:
            file.write(answers.PEM)
        self.check(0, "key", "import", "laptop", path)

    def test_import_refuses(self):
        daemon = self.serve()
        self.check(1, "key", "import", "laptop", self.path("absent"))
        self.check(1, "key", "import", "laptop", "-", stdin=b"-----BEGIN" + b"x" * 5000)
        self.check(2, "key", "import", "laptop", "-", stdin=b"")
        self.check(2, "key", "import", "laptop", "-", stdin=b"-----BEGIN \0")
        secret = answers.PEM.encode().replace(b"BEGIN", b"BEGUN")
        ran = self.run_pnr("key", "import", "laptop", "-", stdin=secret)
        self.assertEqual(ran.returncode, 2)
        self.assertNotIn(b"MC4CAQ", ran.stdout + ran.stderr)
        self.check(2, "key", "import", "LAPTOP", "-", stdin=answers.PEM.encode())
        self.assertEqual(daemon.asked, [])


if __name__ == "__main__":
    unittest.main()
