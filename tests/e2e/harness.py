"""What the end-to-end tests share: running the demo, asking sluicectl, waiting for conditions.

Every test gets an instance name of its own, so tests never meet in /dev/shm, and a folder that is removed when it passes.
Nothing here sleeps for luck: wait_for() looks until a condition holds or a generous time is over.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = pathlib.Path(os.environ.get("SLUICE_BIN_DIR", ROOT / "build" / "release" / "bin"))
SESSION = ROOT / "config" / "sessions" / "crypto-20240808.session"
LONG = os.environ.get("SLUICE_LONG") == "1"
PATIENCE = 60.0
KEY, SECRET = "TESTKEY", "test-secret-of-the-simulator-only"


def wait_for(what, condition, within=PATIENCE):
    until = time.monotonic() + within
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"not within {within:.0f} s: {what}")
        time.sleep(0.02)


def run(binary, *arguments, within=PATIENCE, environment=None):
    return subprocess.run([str(BIN / binary), *map(str, arguments)], capture_output=True, text=True, timeout=within,
                          check=False, env=dict(os.environ, **(environment or {})))


class Case(unittest.TestCase):
    """A test with a folder and an instance name of its own."""

    def setUp(self):
        self.name = f"t{os.getpid() % 100000}x{abs(hash(self.id())) % 10000}"[:12]
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"sluice-{self.name}-"))
        self.processes = []
        self.addCleanup(self.clean)

    def clean(self):
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        for path in pathlib.Path("/dev/shm/sluice").glob(f"{self.name}*"):
            shutil.rmtree(path, ignore_errors=True)
        result = self._outcome.result
        if any(test is self for test, _ in result.failures + result.errors):
            print(f"kept for a look: {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def template(self, *replacements, base="demo.toml"):
        """The demo's configuration under this test's instance name, with (from, to) texts replaced."""
        text = (ROOT / "config" / base).read_text(encoding="utf-8")
        for old, new in (('name = "demo"', f'name = "{self.name}"'), *replacements):
            self.assertIn(old, text)
            text = text.replace(old, new, 1)
        path = self.folder / "template.toml"
        path.write_text(text, encoding="utf-8")
        return path

    def demo_arguments(self, *arguments, template=None):
        return [str(BIN / "sluice-demo"), "--source", str(ROOT), "--root", str(self.folder), "--json",
                "--config", str(template or self.template()), *map(str, arguments)]

    def start_demo(self, *arguments, template=None, environment=None):
        """The demo in a process group of its own."""
        errors = open(self.folder / "demo.log", "a", encoding="utf-8")
        self.addCleanup(errors.close)
        process = subprocess.Popen(self.demo_arguments(*arguments, template=template), stdout=subprocess.PIPE,
                                   stderr=errors, text=True, start_new_session=True,
                                   env=dict(os.environ, **(environment or {})))
        self.processes.append(process)
        return process

    # ---- an instance without the demo around it ----

    def config(self, port, *replacements, shm_dir=None, secret=SECRET, base="demo.toml"):
        credentials = self.folder / "credentials"
        credentials.touch(mode=0o600)
        credentials.write_text(f"key = {KEY}\nsecret = {secret}\n", encoding="utf-8")
        path = self.template(("rest_port = 8080", f"rest_port = {port}"), ("stream_port = 8080", f"stream_port = {port}"),
                             ("\nport = 8080", f"\nport = {port}"), *replacements, base=base)
        if shm_dir:
            text = path.read_text(encoding="utf-8").replace("[instance]", f'[instance]\nshm_dir = "{shm_dir}"', 1)
            path.write_text(text, encoding="utf-8")
        return path

    def start(self, binary, *arguments, log="process.log"):
        path = self.folder / log
        with open(path, "a", encoding="utf-8") as errors:
            process = subprocess.Popen([str(BIN / binary), *map(str, arguments)], stderr=errors, stdout=subprocess.PIPE,
                                       text=True, start_new_session=True)
        self.processes.append(process)
        self.addCleanup(process.stdout.close)
        return process, path

    def stop_all(self):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
            process.wait(30)

    def start_venue(self, *arguments):
        venue, _ = self.start("sluice-venue", "--session", SESSION, "--state", self.folder / "venue", "--speed", "6", "--port",
                              "0", "--key", KEY, "--secret", SECRET, *arguments, log="venue.log")
        return venue, json.loads(venue.stdout.readline())["port"]

    # ---- looking ----

    def finish(self, process, within=180):
        """(exit code, report) of a demo."""
        out, _ = process.communicate(timeout=within)
        self.assertTrue(out, f"no report; see {self.folder}")
        return process.returncode, json.loads(out)

    def runs(self):
        return sorted((self.folder / "runs").glob("*")) if (self.folder / "runs").is_dir() else []

    def config_of_run(self):
        """The newest run's configuration, once its stages were started."""
        def found():
            runs = self.runs()
            path = runs[-1] / "instance.toml" if runs else None
            return path if path and path.is_file() else None
        return wait_for("the run's configuration", found)

    def status(self, config):
        done = run("sluicectl", "status", "--json", "--config", config)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def wait_status(self, config, what, condition, within=PATIENCE):
        def holds():
            status = self.status(config)
            return status if status and condition(status) else None
        return wait_for(what, holds, within)

    def assert_nothing_left(self):
        """No process and no segment of this test's instance."""
        listed = subprocess.run(["pgrep", "-af", str(self.folder)], capture_output=True, text=True, check=False).stdout
        self.assertEqual("", listed)
        left = [p for p in pathlib.Path("/dev/shm/sluice").glob(f"{self.name}/*") if p.name != "locks"]
        self.assertEqual([], left)


def account(status, key):
    return status.get("account", {}).get(key, 0)
