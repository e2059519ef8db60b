"""What suite `pipeline` runs: a synthetic session, the instance's configuration, and the processes around it.

Everything lies in one temporary folder per run. The configuration is config/demo.toml with other instruments: tables
[[instrument]] and [[strategy]] are replaced, a few keys changed, and the bench profile switched on (staleness and intent
deadlines off, which only the simulator allows). Time runs hundreds of times faster than the session's: a price moves far
between a decision and the gate, so the collars are wide; four symbols move at once, so there are more connections for
orders; on a busy machine a cancel may overtake its order, which counts as a refusal, so the strategy rests none; a
scheduler's time slice is many thousand events, so the rings of market data have 131,072 slots.
"""

import contextlib
import fcntl
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("SLUICE_BUILD_DIR", ROOT / "build" / "release"))
KEY, SECRET = "BENCHKEY", "bench-secret-of-the-simulator-only"
TRADED = 4  # the strategy takes the first instruments, at most so many

INSTRUMENT = """
[[instrument]]
symbol = "{symbol}"
position_symbol = "{compact}"
feed = "crypto"
venue = "alpaca"
base = "{base}"
quote = "USD"
tick = "0.01"
lot = "0.0001"
min_qty = "1"
min_notional = "10"
shortable = false
market_orders = true
max_order_qty = "20"
max_order_notional = "40000"
max_position = "40"
max_exposure = "50000"
ceiling_order_qty = "40"
ceiling_order_notional = "80000"
ceiling_position = "80"
"""


def say(text):
    print(text, file=sys.stderr, flush=True)


def wait_for(what, condition, within=120.0):
    until = time.monotonic() + within
    while not (value := condition()):
        if time.monotonic() > until:
            sys.exit(f"bench/pipeline/run: not within {within:.0f} s: {what}")
        time.sleep(0.02)
    return value


class Session:
    """A synthetic session of so many pairs, made by the converter; the same one each time."""

    def __init__(self, folder, symbols, seconds, rate):
        self.path = folder / f"{symbols}.session"
        convert = BUILD / "bin" / "sluice-session-convert"
        subprocess.run([convert, "synthetic", "--symbols", str(symbols), "--seconds", str(seconds), "--rate", str(rate),
                        "--seed", "1", "--class", "crypto", "--output", self.path], check=True, stderr=subprocess.DEVNULL)
        done = subprocess.run([convert, "info", "--json", self.path], check=True, capture_output=True, text=True)
        info = json.loads(done.stdout)
        self.names = [s["symbol"] for s in info["symbols"]]
        self.events = info["quotes"] + info["trades"]
        self.traded = sum(s["quotes"] + s["trades"] for s in info["symbols"][:TRADED])  # what the strategy hears
        self.seconds = (info["last_send_ns"] - info["first_send_ns"]) / 1e9

    def speed_for(self, events_per_second):
        return f"{events_per_second * self.seconds / self.events:.3f}"


class Venue:
    def __init__(self, folder, session, speed, repeat):
        self.log = folder / "venue.log"
        command = [BUILD / "bin" / "sluice-venue", "--session", session.path, "--state", folder / "venue",
                   "--speed", str(speed), "--repeat", str(repeat), "--port", "0", "--key", KEY, "--secret", SECRET,
                   "--rate-limit", "1000000"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=open(self.log, "w", encoding="utf-8"),
                                        text=True)
        line = self.process.stdout.readline()
        if not line:
            sys.exit("bench/pipeline/run: the simulator did not start: " + self.log.read_text())
        self.port = json.loads(line)["port"]

    def status(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/sim/status", timeout=60) as answer:
            return json.load(answer)

    def rate(self):
        """Quotes and trades per second from the first to the last, as the simulator stamps them."""
        told = self.status()
        events = told["records_by_kind"]["quote"] + told["records_by_kind"]["trade"]
        return events / ((told["session_end_wall_ns"] - told["t0_ns"]) / 1e9)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def write_config(folder, port, names):
    text = (ROOT / "config" / "demo.toml").read_text(encoding="utf-8")
    tables = re.split(r"(?m)^(?=\[)", text)
    kept = [t for t in tables if not t.startswith(("[[instrument]]", "[[strategy]]"))]
    strategy = next(t for t in tables if t.startswith("[[strategy]]") and 'kind = "momentum"' in t)
    text = "".join(kept)
    place = text.index("[risk]")
    made = "".join(INSTRUMENT.format(symbol=name, compact=name.replace("/", ""), base=name.split("/")[0])
                   for name in names)
    strategy = re.sub(r'(?m)^max_position = .*$', 'max_position = "15"', strategy)
    text = text[:place] + made + "\n" + strategy + text[place:]
    traded = ", ".join(f'"{name}"' for name in names[:TRADED])
    for key, value in (("rest_port", port), ("stream_port", port), ("port", port),
                       ("state_dir", f'"{folder}/state"'), ("run_dir", f'"{folder}"'),
                       ("credentials_file", f'"{folder}/credentials"'), ("intent_deadline", '"60s"'),
                       ("max_event_age", '"0s"'), ("market_data_max_age", '"0s"'), ("rate_per_minute", 1000000),
                       ("stream_proof", '"60s"'), ("instruments", f"[{traded}]"), ("market_data", "false"),
                       ("order_qty", '"5"'), ("collar_bps", 1000), ("reduce_collar_bps", 2000),
                       ("market_data_slots", 131072), ("connections", 8), ("strategy_rate_per_second", 1000),
                       ("rest_every", '"0s"')):
        text, count = re.subn(rf"(?m)^{key} = .*$", f"{key} = {value}", text)
        assert count, key
    text = text.replace('name = "demo"', 'name = "bench"\nbench_profile = true', 1)
    config = folder / "instance.toml"
    config.write_text(text, encoding="utf-8")
    credentials = folder / "credentials"
    credentials.touch(mode=0o600)
    credentials.write_text(f"key = {KEY}\nsecret = {SECRET}\n", encoding="utf-8")
    return config


def used_by(pid):
    """(peak resident bytes, user and system seconds) of a process so far."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024, ticks / os.sysconf("SC_CLK_TCK")


class Instance:
    """All stages, started by `sluicectl up`."""

    def __init__(self, folder, port, names):
        self.config, self.folder = write_config(folder, port, names), folder
        self.up = subprocess.Popen([BUILD / "bin" / "sluicectl", "up", "--logs", folder / "logs", "--wait", "60",
                                    "--config", self.config], stderr=open(folder / "sluicectl.log", "w", encoding="utf-8"))

    def ended(self):
        return self.up.poll() is not None

    def status(self):
        done = subprocess.run([BUILD / "bin" / "sluicectl", "status", "--json", "--config", self.config],
                              capture_output=True, text=True, check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def stop(self):
        self.up.send_signal(signal.SIGTERM)
        self.up.wait(60)


class Watcher:
    """shm-top at its default refresh, on a large terminal that takes all it writes."""

    def __init__(self, config):
        self.since = time.monotonic()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm-256color"
            os.execv(BUILD / "bin" / "shm-top", ["shm-top", "--config", str(config)])
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 200, 0, 0))
        self.written = 0
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        with contextlib.suppress(OSError):  # EIO: it ended
            while taken := os.read(self.terminal, 65536):
                self.written += len(taken)

    def stop(self):
        """(share of one core it used, bytes it wrote)"""
        cpu, seconds = used_by(self.pid)[1], time.monotonic() - self.since
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)
        self.reader.join()
        os.close(self.terminal)
        return cpu / seconds, self.written


class Folder:
    def __enter__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="sluice-bench-"))
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)
