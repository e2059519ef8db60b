"""A client nobody here wrote, against the simulator: npm's @alpacahq/alpaca-trade-api drives sluice-venue.

What the client does is in equity.js and crypto.js. The package and all it needs are pinned by package-lock.json (with
hashes) and installed once into the build folder; without Node, npm, or the registry the first time, the test fails and
says so: a test that is skipped here would prove nothing.
"""

import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BIN = pathlib.Path(os.environ.get("SLUICE_BIN_DIR", ROOT / "build" / "release" / "bin"))
CACHE = pathlib.Path(os.environ.get("SLUICE_OUTSIDE_CLIENT_DIR", ROOT / "build" / "release" / "outside_client"))
SESSIONS = ROOT / "config" / "sessions"
PATIENCE = 120.0


def installed_modules():
    """The folder node_modules with exactly what package-lock.json pins."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            raise AssertionError(f"{tool} is missing: run tools/setup (Debian packages nodejs and npm)")
    lock = hashlib.sha256((HERE / "package-lock.json").read_bytes() + (HERE / "package.json").read_bytes()).hexdigest()
    modules, stamp = CACHE / "node_modules", CACHE / "installed"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == lock and modules.is_dir():
        return modules
    CACHE.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, CACHE / name)
    done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=CACHE, capture_output=True,
                          text=True, timeout=600, check=False)
    if done.returncode != 0:
        raise AssertionError("npm ci failed; the registry registry.npmjs.org must be reachable once, afterwards "
                             f"{CACHE} is enough:\n{done.stdout}{done.stderr}")
    stamp.write_text(lock, encoding="utf-8")
    return modules


class OutsideClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.modules = installed_modules()

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-outside-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def start_venue(self, session, *arguments):
        log = open(self.folder / "venue.log", "w", encoding="utf-8")
        self.addCleanup(log.close)
        venue = subprocess.Popen(
            [str(BIN / "sluice-venue"), "--session", str(SESSIONS / session), "--state", str(self.folder / "state"),
             "--key", "KEY", "--secret", "SECRET", "--rate-limit", "100000", "--exit-with-parent", *arguments],
            stdout=subprocess.PIPE, stderr=log, text=True)
        self.addCleanup(venue.stdout.close)
        self.addCleanup(self.stop, venue)
        return venue, json.loads(venue.stdout.readline())["port"]

    @staticmethod
    def stop(venue):
        if venue.poll() is None:
            venue.send_signal(signal.SIGTERM)
        try:
            venue.wait(timeout=30)
        except subprocess.TimeoutExpired:
            venue.kill()
            venue.wait()

    def drive(self, program, session, *arguments, part=""):
        venue, port = self.start_venue(session, *arguments)
        done = subprocess.run(["node", str(HERE / program), str(port), part], capture_output=True, text=True,
                              timeout=PATIENCE, check=False,
                              env=dict(os.environ, OUTSIDE_CLIENT_MODULES=str(self.modules)))
        if done.returncode != 0:
            log = (self.folder / "venue.log").read_text(encoding="utf-8")
            self.fail(f"{program} ended with {done.returncode}\n{done.stdout}{done.stderr}--- venue:\n{log[-3000:]}")
        self.stop(venue)
        self.assertEqual(venue.returncode, 0, "the simulator ended well")
        return done.stdout

    def test_stock_data(self):
        told = self.drive("equity.js", "synthetic-equity.session", "--speed", "15", part="data")
        self.assertIn("ok data REST: latest and snapshot", told)

    def test_stock_trading(self):
        told = self.drive("equity.js", "synthetic-equity.session", "--speed", "1", "--start-at-once", part="trading")
        self.assertIn("ok refusals carry status and code", told)

    def test_crypto(self):
        told = self.drive("crypto.js", "crypto-20240808.session", "--speed", "20")
        self.assertIn("ok data REST: bars, trades, latest", told)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
