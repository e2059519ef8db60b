#!/usr/bin/env python3
"""sluice-session-convert as a process: what each sub-command writes where, and how it says no."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

TOOL = pathlib.Path(os.environ["SLUICE_BIN_DIR"]) / "sluice-session-convert"
ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(*arguments):
    return subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True, check=False)


class SessionToolTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="sluice-session-tool-")
        self.output = pathlib.Path(self.folder.name) / "x.session"

    def tearDown(self):
        self.folder.cleanup()

    def synthetic(self, **more):
        options = {"symbols": 2, "seconds": 5, "rate": 50, "seed": 3, "output": self.output} | more
        return run("synthetic", *(word for key, value in options.items() for word in (f"--{key}", value)))

    def info(self, path):
        done = run("info", "--json", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_synthetic_session_is_written_and_info_tells_what_is_in_it(self):
        done = self.synthetic()
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        told = self.info(self.output)
        self.assertEqual([s["symbol"] for s in told["symbols"]], ["SYNA", "SYNB"])
        self.assertEqual([s["class"] for s in told["symbols"]], ["equity", "equity"])
        self.assertEqual(told["records"], told["quotes"] + told["trades"] + told["status"])
        self.assertIn("--seed 3", told["attribution"])
        self.assertEqual(told["first_send_ns"] // 10**9, 1709649000)  # 14:30:00 UTC
        self.assertIn("SYNB", run("info", self.output).stdout)

    def test_class_and_start_are_options(self):
        self.assertEqual(self.synthetic(**{"class": "crypto", "start": "2024-08-08T00:00:00Z"}).returncode, 0)
        told = self.info(self.output)
        self.assertEqual([s["symbol"] for s in told["symbols"]], ["SYNA/USD", "SYNB/USD"])
        self.assertEqual(told["first_send_ns"] // 10**9, 1723075200)

    def test_info_of_a_shipped_session_counts_its_records(self):
        told = self.info(ROOT / "config/sessions/crypto-20240808.session")
        self.assertEqual((told["records"], told["quotes"], told["trades"]), (302855, 52117, 15863))
        self.assertEqual([s["tape"] for s in told["symbols"]], ["", ""])

    def test_wrong_use_ends_with_64_and_writes_nothing(self):
        for done in (run(), run("nothing"), run("synthetic"), self.synthetic(symbols=0), self.synthetic(rate=20001),
                     self.synthetic(start="yesterday"), self.synthetic(**{"class": "bond"}), run("info"),
                     run("lean", "--data", "x", "--date", "20131008", "--symbols", "IBM", "--from", "9:30", "--to",
                         "10:00", "--attribution", "x", "--output", self.output),
                     run("binance", "--input", "x", "--attribution", "x", "--output", self.output)):
            self.assertEqual(done.returncode, 64, done.args)
            self.assertNotEqual(done.stderr, "")
            self.assertFalse(self.output.exists())

    def test_missing_and_damaged_files_are_named(self):
        done = run("info", "/nowhere.session")
        self.assertEqual(done.returncode, 73)
        self.assertIn("/nowhere.session", done.stderr)
        self.output.write_bytes(b"no session")
        done = run("info", self.output)
        self.assertEqual(done.returncode, 78)
        self.assertIn(str(self.output), done.stderr)


if __name__ == "__main__":
    unittest.main()
