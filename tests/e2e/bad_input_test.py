"""Bad input, each with one clear message, its documented exit code, nothing left behind and nothing traded."""

import base64
import hashlib
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import threading
import unittest

import harness
from harness import KEY, SECRET, SESSION, Case, run, wait_for

STAGES = (("sluice-feed-handler", "crypto"), ("sluice-strategy", "momentum"), ("sluice-risk",), ("sluice-order-gateway",),
          ("sluice-persistence",))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class BadInput(Case):
    def one_line(self, done, code, *said):
        """Exit code, and exactly one line on stderr that says all of `said`."""
        self.assertEqual(code, done.returncode, done.stderr)
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        self.assertEqual(1, len(lines), done.stderr)
        for text in said:
            self.assertIn(str(text), lines[0])


class Configuration(BadInput):
    def test_every_binary_names_file_line_value_and_remedy(self):
        path = self.template(("order_slots = 4096", "order_slots = 4095"))
        line = 1 + path.read_text(encoding="utf-8").split("order_slots")[0].count("\n")
        for binary, *name in STAGES:
            done = run(binary, *name, "--config", path, "--check-config")
            self.one_line(done, 78, f"{path}:{line}", "order_slots", "4095", "power of two")
        self.one_line(run("sluicectl", "status", "--config", path), 78, f"{path}:{line}")

    def test_unknown_key_is_refused_with_the_nearest_known_name(self):
        path = self.template(("cooldown = ", "cooldwon = "))
        self.one_line(run("sluice-risk", "--config", path, "--check-config"), 78, "cooldwon", "cooldown")

    def test_broken_toml_and_missing_file_are_named(self):
        path = self.template(("[gateway]", "[gateway"))
        self.one_line(run("sluice-risk", "--config", path), 78, path)
        self.one_line(run("sluice-risk", "--config", "/nonexistent.toml"), 78, "/nonexistent.toml")

    def test_good_configuration_passes_the_check(self):
        for binary, *name in STAGES:
            self.assertEqual(0, run(binary, *name, "--config", self.template(), "--check-config").returncode)

    def test_command_line_mistakes_are_usage_errors(self):
        for binary, *name in STAGES:
            self.one_line(run(binary, *name), 64, "--config")
            self.one_line(run(binary, *name, "--config", "x", "--no-such-option"), 64, "--no-such-option")
        self.one_line(run("sluice-strategy", "nobody", "--config", self.template()), 64, "nobody", "momentum")
        self.one_line(run("sluicectl", "dance"), 64, "dance")


class Venue(BadInput):
    def test_unreachable_venue_is_tried_a_bounded_number_of_times(self):
        port = free_port()
        config = self.config(port, ("reconnect_attempts = 20", "reconnect_attempts = 3"),
                             ("venue_retry_attempts = 10", "venue_retry_attempts = 3"))
        done = run("sluicectl", "up", "--config", config, within=120)
        self.assertEqual(69, done.returncode, done.stderr)
        self.assertIn(f"127.0.0.1:{port}", done.stderr)
        self.assert_nothing_left()

    def test_refused_credentials_end_with_77_and_are_not_retried(self):
        _, port = self.start_venue()
        done = run("sluicectl", "up", "--config", self.config(port, secret="wrong"), within=120)
        self.assertEqual(77, done.returncode, done.stderr)
        self.assertIn("credentials", done.stderr)
        self.assertNotIn("wrong", done.stderr)
        self.stop_all()
        self.assert_nothing_left()

    def test_state_of_an_unreachable_venue_stands_in_status(self):
        port = free_port()
        config = self.config(port, ("venue_retry_attempts = 10", "venue_retry_attempts = 1000"))
        self.start("sluicectl", "up", "--config", config)
        status = self.wait_status(config, "the gateway tells its trouble",
                                  lambda s: any("last_error" in x for x in s["stages"] if x["stage"] == "gateway"))
        gateway = next(x for x in status["stages"] if x["stage"] == "gateway")
        self.assertEqual("recovering", gateway["state"])
        self.assertIn(str(port), gateway["last_error"]["text"])

    def test_port_in_use_is_named(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            done = run("sluice-venue", "--session", SESSION, "--state", self.folder / "v", "--port", port, "--key", KEY,
                       "--secret", SECRET)
            self.one_line(done, 73, port)

    def test_broken_session_file_is_named(self):
        bad = self.folder / "bad.session"
        bad.write_bytes(SESSION.read_bytes()[:100_000])
        done = run("sluice-venue", "--session", bad, "--state", self.folder / "v", "--port", "0", "--key", KEY, "--secret",
                   SECRET)
        self.assertIn(done.returncode, (73, 78))
        self.assertIn(str(bad), done.stderr)


class Segments(BadInput):
    def test_second_instance_of_the_same_name_is_refused(self):
        _, port = self.start_venue()
        config = self.config(port)
        self.start("sluicectl", "up", "--config", config)
        self.wait_status(config, "the stages run", lambda s: all(x["state"] == "live" for x in s["stages"]))
        self.one_line(run("sluicectl", "up", "--config", config), 75, "pid")
        self.one_line(run("sluice-risk", "--config", config), 75, "risk", "pid")
        self.one_line(run("sluicectl", "shm", "destroy", "--config", config), 75, "pid")

    def test_no_space_for_segments_is_said_and_leaves_nothing(self):
        small = self.folder / "small"
        small.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(small)], check=False,
                                 capture_output=True).returncode == 0
        if not mounted:
            self.skipTest("no right to mount a small tmpfs")
        self.addCleanup(subprocess.run, ["umount", str(small)], check=False)
        config = self.config(free_port(), shm_dir=str(small / "x"))
        done = run("sluicectl", "shm", "create", "--config", config)
        self.one_line(done, 73, small, "no space")
        self.assertEqual([], [p for p in (small / "x").glob("*") if p.name != "locks"])

    def test_segments_of_another_build_are_set_aside_and_never_read(self):
        _, port = self.start_venue()
        config = self.config(port)
        self.assertEqual(0, run("sluicectl", "shm", "create", "--config", config).returncode)
        control = pathlib.Path("/dev/shm/sluice") / self.name / "control"
        with open(control, "r+b") as file:  # segment.hpp: the build id stands at byte 16
            file.seek(16)
            file.write(b"otherbld")
        self.one_line(run("sluicectl", "shm", "create", "--config", config), 73, "build")
        up, log = self.start("sluicectl", "up", "--config", config)
        self.wait_status(config, "the stages run", lambda s: all(x["state"] == "live" for x in s["stages"]))
        self.assertIn("another build", log.read_text(encoding="utf-8"))
        up.send_signal(signal.SIGTERM)
        self.assertEqual(0, up.wait(60))

    def test_stage_without_segments_waits_and_then_says_what_to_do(self):
        done = run("sluice-risk", "--config", self.config(free_port()), within=60)
        self.one_line(done, 73, "sluicectl shm create")


class Garbage(BadInput):
    """A venue that speaks nonsense: the feed-handler counts it and lives; nothing is traded."""

    ACK = b'[{"T":"subscription","trades":["BTC/USD","ETH/USD"],"quotes":["BTC/USD","ETH/USD"],"orderbooks":[]}]'

    def serve(self, frames, path=b"/v1beta3/crypto/us", ack=ACK):
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)

        def frame(payload, opcode=1):
            size = len(payload)
            head = bytes([0x80 | opcode]) + (bytes([size]) if size < 126 else b"\x7e" + struct.pack(">H", size)
                                             if size < 65536 else b"\x7f" + struct.pack(">Q", size))
            return head + payload

        def talk(connection):
            with connection:
                request = b""
                while b"\r\n\r\n" not in request:
                    request += connection.recv(4096)
                if path not in request:
                    return  # the gateway's connections get no answer
                key = next(line.split(b": ")[1] for line in request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
                accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
                connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                   b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
                connection.sendall(frame(b'[{"T":"success","msg":"connected"}]'))
                connection.recv(4096)
                connection.sendall(frame(b'[{"T":"success","msg":"authenticated"}]'))
                connection.recv(4096)
                connection.sendall(frame(ack))
                for payload in frames:
                    connection.sendall(payload if isinstance(payload, tuple) and payload[0] == "raw" else frame(payload))
                try:
                    while connection.recv(4096):
                        pass
                except OSError:
                    pass

        def accept_all():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=talk, args=(connection,), daemon=True).start()
        threading.Thread(target=accept_all, daemon=True).start()
        return server.getsockname()[1]

    def test_garbage_truncated_and_oversized_frames_are_counted_and_good_ones_still_pass(self):
        good = b'{"T":"q","S":"BTC/USD","bp":100.5,"bs":1,"ap":100.6,"as":2,"t":"2026-11-20T12:00:00.5Z"}'
        port = self.serve([
            b"not json at all", b"\x00\xff\xfe garbage", b"[" + good + b"," + good[:40],  # one good element, then cut off
            b'[{"T":"q","S":"BTC/USD","bp":1e400,"bs":1,"ap":1,"as":1,"t":"2026-11-20T12:00:00Z"}]',
            b'[{"T":"q","S":"NOBODY","bp":1,"bs":1,"ap":2,"as":1,"t":"2026-11-20T12:00:00Z"}]',
            b'[{"T":"zz"}]', b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", b"{}", b"[]", b"[" + good + b"]"])
        config = self.config(port, ("venue_retry_attempts = 10", "venue_retry_attempts = 1000"))
        self.assertEqual(0, run("sluicectl", "shm", "create", "--config", config).returncode)
        feed, log = self.start("sluice-feed-handler", "crypto", "--config", config)

        def counters():
            status = self.status(config)
            return next(s for s in status["stages"] if s["stage"] == "feed.crypto")["counters"]
        wait_for("both good quotes arrived", lambda: counters()["quotes"] == 2)
        self.assertGreaterEqual(counters()["bad_frames"], 4)
        self.assertGreaterEqual(counters()["bad_elements"], 1)
        self.assertGreaterEqual(counters()["unknown_symbols"], 1)
        self.assertIsNone(feed.poll(), log.read_text(encoding="utf-8"))
        feed.send_signal(signal.SIGTERM)
        self.assertEqual(0, feed.wait(30), log.read_text(encoding="utf-8"))

    def test_oversized_message_closes_the_connection_with_a_reason(self):
        port = self.serve([b"[" + b" " * 400_000 + b"]"])
        config = self.config(port, ("reconnect_attempts = 20", "reconnect_attempts = 2"),
                             ("reconnect_max = \"5s\"", "reconnect_max = \"200ms\""))
        self.assertEqual(0, run("sluicectl", "shm", "create", "--config", config).returncode)
        feed, log = self.start("sluice-feed-handler", "crypto", "--config", config)
        wait_for("the oversized message is named", lambda: "large" in log.read_text(encoding="utf-8"))
        self.assertIsNone(feed.poll())
        os.killpg(feed.pid, signal.SIGKILL)

    def refused_subscription(self, feed_name, said, config):
        self.assertEqual(0, run("sluicectl", "shm", "create", "--config", config).returncode)
        feed, log = self.start("sluice-feed-handler", feed_name, "--config", config)
        self.assertEqual(69, feed.wait(60))
        self.assertIn(said, log.read_text(encoding="utf-8"))

    def test_subscription_acknowledged_in_part_ends_the_feed(self):
        port = self.serve([], ack=self.ACK.replace(b'"quotes":["BTC/USD","ETH/USD"]', b'"quotes":["BTC/USD"]'))
        self.refused_subscription("crypto", "1 of 2 symbols for quotes", self.config(port))

    def test_stock_feed_without_statuses_ends_rather_than_miss_a_halt(self):
        port = self.serve([], path=b"/v2/sip", ack=b'[{"T":"subscription","trades":["*"],"quotes":["*"],"statuses":["IBM"]}]')
        self.refused_subscription("stocks", "1 of 3 symbols for statuses", self.config(port, base="demo-equity.toml"))

    def test_statuses_of_every_kind_are_counted_and_bars_skipped(self):
        def status(code):
            return b'[{"T":"s","S":"IBM","sc":"' + code + b'","sm":"","rc":"","rm":"","t":"2026-11-20T12:00:00Z","z":"A"}]'
        bar = b'[{"T":"b","S":"IBM","o":1,"h":1,"l":1,"c":1,"v":1,"n":1,"vw":1,"t":"2026-11-20T12:00:00Z"}]'
        quote = b'[{"T":"q","S":"IBM","bx":"N","bp":181.5,"bs":100,"ax":"N","ap":181.52,"as":200,"t":"2026-11-20T12:00:00Z",' \
                b'"c":["R"],"z":"A"}]'
        port = self.serve([status(b"2"), quote, status(b"5"), status(b"new"), bar, quote, status(b"3")], path=b"/v2/sip",
                          ack=b'[{"T":"subscription","trades":["*"],"quotes":["*"],"statuses":["*"]}]')
        config = self.config(port, base="demo-equity.toml")
        self.assertEqual(0, run("sluicectl", "shm", "create", "--config", config).returncode)
        feed, log = self.start("sluice-feed-handler", "stocks", "--config", config)
        counters = wait_for("all arrived", lambda: next(
            (s["counters"] for s in self.status(config)["stages"]
             if s["stage"] == "feed.stocks" and s["counters"]["statuses"] == 4), None))
        self.assertEqual((2, 1, 1, 0), tuple(counters[c] for c in ("quotes", "unknown_statuses", "skipped", "bad_elements")))
        feed.send_signal(signal.SIGTERM)
        self.assertEqual(0, feed.wait(30), log.read_text(encoding="utf-8"))


if __name__ == "__main__":
    harness.unittest.main(verbosity=2)
