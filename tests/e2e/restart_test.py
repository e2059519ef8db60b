"""Killing the whole demo at any moment and starting again needs no cleaning."""

import json
import os
import random
import signal
import time
import unittest
import urllib.request

from harness import KEY, LONG, SECRET, Case, account, run, wait_for


class Restart(Case):
    def test_demo_killed_at_any_moment_starts_again_without_cleaning(self):
        seed = int(os.environ.get("SLUICE_SEED", "20240808"))
        print(f"seed {seed}")
        moments = random.Random(seed)
        for attempt in range(12 if LONG else 3):
            demo = self.start_demo("--speed", "12", "--seconds", "60")
            # The moment is drawn, not waited for: during start-up, trading, or in between.
            time.sleep(moments.uniform(0.05, 4.0))
            os.killpg(demo.pid, signal.SIGKILL)
            demo.wait()
            demo.stdout.close()
            print(f"attempt {attempt}: killed")
        code, report = self.finish(self.start_demo("--speed", "12", "--seconds", "8"))
        self.assertEqual([], report["why_not"])
        self.assertEqual(0, code)

    def test_every_stage_killed_at_once_leaves_a_journal_the_next_run_completes(self):
        demo = self.start_demo("--speed", "12", "--seconds", "60")
        config = self.config_of_run()
        first_run = self.runs()[-1]
        self.wait_status(config, "an order was filled", lambda s: s.get("account", {}).get("executions", 0) > 3)
        # Stages first, supervisor last: nobody gets to drain anything.
        for stage in self.status(config)["stages"]:
            os.kill(stage["pid"], signal.SIGKILL)
        os.killpg(demo.pid, signal.SIGKILL)
        demo.wait()
        demo.stdout.close()
        code, report = self.finish(self.start_demo("--speed", "12", "--seconds", "8"))
        self.assertEqual([], report["why_not"])
        self.assertEqual(0, code)
        verified = run("sluice-journal", "verify", first_run / "journal")
        self.assertEqual(0, verified.returncode, verified.stdout + verified.stderr)

    def test_stage_that_dies_is_named_and_the_run_ends(self):
        demo = self.start_demo("--speed", "12", "--seconds", "60")
        config = self.config_of_run()
        status = self.wait_status(config, "risk runs", lambda s: any(
            x["stage"] == "risk" and x["state"] == "live" for x in s["stages"]))
        os.kill(next(s["pid"] for s in status["stages"] if s["stage"] == "risk"), signal.SIGKILL)
        self.assertNotEqual(0, demo.wait(timeout=60))
        demo.stdout.close()
        log = (self.runs()[-1] / "logs" / "sluicectl.log").read_text(encoding="utf-8")
        self.assertIn("risk: killed by signal 9", log)
        wait_for("every process has ended", lambda: not [
            line for line in os.popen(f"pgrep -af {self.folder}") if "pgrep" not in line])


class OneStage(Case):
    """Each stage killed alone under `sluicectl up --restart`, with an order resting at the venue."""

    def setUp(self):
        super().setUp()
        _, port = self.start_venue()
        self.config_path = self.config(port, ('rest_for = "300ms"', 'rest_for = "60s"'),
                                       ('rest_offset_bps = "0.1"', 'rest_offset_bps = "20"'))
        self.up, self.log = self.start("sluicectl", "up", "--restart", "--config", self.config_path)
        self.before = self.wait_status(self.config_path, "an order rests and others were filled",
                                       lambda s: account(s, "working") > 0 and account(s, "executions") > 0)

    def kill(self, stage):
        os.kill(self.of(self.before, stage)["pid"], signal.SIGKILL)
        self.wait_status(self.config_path, f"{stage} lives again", lambda s: self.of(s, stage)["state"] == "live"
                         and self.of(s, stage)["incarnation"] == self.of(self.before, stage)["incarnation"] + 1)

    def of(self, status, stage):
        return next(s for s in status["stages"] if s["stage"] == stage)

    def filled(self, status):
        return self.of(status, "gateway")["counters"]["fills"]

    def trading_goes_on(self):
        filled = self.filled(self.status(self.config_path))
        self.wait_status(self.config_path, "more fills", lambda s: self.filled(s) > filled)
        self.up.send_signal(signal.SIGTERM)
        self.assertEqual(0, self.up.wait(60), self.log.read_text(encoding="utf-8"))

    def test_feed_handler_alone(self):
        self.kill("feed.crypto")
        self.trading_goes_on()

    def test_risk_alone(self):
        self.kill("risk")
        self.trading_goes_on()

    def test_persistence_alone_and_the_journal_is_whole(self):
        self.kill("persistence")
        self.trading_goes_on()
        verified = run("sluice-journal", "verify", self.folder / "run" / "journal")
        self.assertEqual(0, verified.returncode, verified.stdout + verified.stderr)

    def test_strategy_alone_and_its_old_orders_are_cancelled(self):
        cancelled = self.of(self.before, "gateway")["counters"]["cancels_sent"]
        self.kill("strategy.momentum")
        self.wait_status(self.config_path, "the dead incarnation's order is cancelled",
                         lambda s: self.of(s, "gateway")["counters"]["cancels_sent"] > cancelled)
        self.trading_goes_on()

    def test_quoter_alone_and_its_old_orders_are_cancelled(self):
        cancelled = self.of(self.before, "gateway")["counters"]["cancels_sent"]
        self.kill("strategy.quoter")
        self.wait_status(self.config_path, "the dead incarnation's order is cancelled",
                         lambda s: self.of(s, "gateway")["counters"]["cancels_sent"] > cancelled)
        intents = self.of(self.status(self.config_path), "strategy.quoter")["counters"]["intents"]
        self.wait_status(self.config_path, "it quotes again",
                         lambda s: self.of(s, "strategy.quoter")["counters"]["intents"] > intents + 3)
        self.trading_goes_on()

    def test_gateway_alone_cancels_its_orphans_and_takes_no_new_risk_on_what_it_cannot_explain(self):
        self.kill("gateway")
        self.wait_status(self.config_path, "the orphan is found",
                         lambda s: self.of(s, "gateway")["counters"]["orphans"] > 0)
        self.wait_status(self.config_path, "the unexplained position halts the instrument",
                         lambda s: any(p["halted"] for p in s["positions"]))
        self.up.send_signal(signal.SIGTERM)
        self.assertEqual(0, self.up.wait(60), self.log.read_text(encoding="utf-8"))


class KillWithoutGateway(Case):
    def start_with_resting_order(self):
        _, self.port = self.start_venue()
        config = self.config(self.port, ('rest_for = "300ms"', 'rest_for = "60s"'),
                             ('rest_offset_bps = "0.1"', 'rest_offset_bps = "20"'))
        self.up, self.log = self.start("sluicectl", "up", "--hang-ms", "600000", "--config", config)
        status = self.wait_status(config, "an order rests", lambda s: account(s, "working") > 0)
        return config, status

    def test_stamp_of_an_earlier_trip_does_not_pass_for_this_one(self):
        config, _ = self.start_with_resting_order()
        self.assertEqual(0, run("sluicectl", "kill", "--config", config).returncode)
        self.assertEqual(0, run("sluicectl", "resume", "--config", config).returncode)
        status = self.wait_status(config, "an order rests again", lambda s: account(s, "working") > 0)
        gateway = next(s["pid"] for s in status["stages"] if s["stage"] == "gateway")
        os.kill(gateway, signal.SIGSTOP)
        killed = run("sluicectl", "kill", "--cancel-all", "--config", config)
        self.assertEqual(0, killed.returncode, killed.stderr)
        self.assertNotIn("stamped", killed.stderr)
        self.assertEqual([], self.open_orders(self.port))

    def test_kill_outlives_the_segments_until_resume(self):
        config, _ = self.start_with_resting_order()
        self.assertEqual(0, run("sluicectl", "kill", "--cancel-all", "--config", config).returncode)
        self.assertEqual(0, run("sluicectl", "down", "--config", config).returncode)
        up, log = self.start("sluicectl", "up", "--config", config)
        status = self.wait_status(config, "all live", lambda s: all(x["state"] == "live" for x in s["stages"]))
        self.assertTrue(status["killed"])
        self.assertIn("still on", log.read_text(encoding="utf-8"))
        self.assertEqual([], self.open_orders(self.port))
        self.assertEqual(0, run("sluicectl", "resume", "--config", config).returncode)
        self.wait_status(config, "the switch is off", lambda s: not s["killed"])
        up.send_signal(signal.SIGTERM)
        up.wait(60)

    def test_gateway_that_dies_for_good_leaves_no_order_at_the_venue(self):
        _, status = self.start_with_resting_order()
        os.kill(next(s["pid"] for s in status["stages"] if s["stage"] == "gateway"), signal.SIGKILL)
        self.assertNotEqual(0, self.up.wait(60))
        self.assertEqual([], self.open_orders(self.port))
        self.assertIn("cancelling at the venue", self.log.read_text(encoding="utf-8"))

    def test_position_that_only_an_operator_can_explain_trades_again_once_accepted(self):
        _, port = self.start_venue()
        config = self.config(port)
        self.start("sluicectl", "up", "--restart", "--config", config)
        status = self.wait_status(config, "something is held", lambda s: any(
            p["symbol"] == "BTC/USD" and float(p["position"]) > 0.01 for p in s["positions"]))
        os.kill(next(s["pid"] for s in status["stages"] if s["stage"] == "gateway"), signal.SIGKILL)
        self.wait_status(config, "the instrument is halted", lambda s: "BTC/USD" in self.halted(s))
        accepted = run("sluicectl", "accept", "--symbol", "BTC/USD", "--config", config)
        self.assertEqual(0, accepted.returncode, accepted.stderr)
        self.wait_status(config, "it trades again", lambda s: s["positions"] and "BTC/USD" not in self.halted(s))

    def test_kill_of_a_hung_gateway_ends_it_and_cancels_at_the_venue(self):
        config, status = self.start_with_resting_order()
        port = self.port
        self.assertNotEqual([], self.open_orders(port))
        gateway = next(s["pid"] for s in status["stages"] if s["stage"] == "gateway")
        os.kill(gateway, signal.SIGSTOP)
        killed = run("sluicectl", "kill", "--config", config)
        self.assertEqual(0, killed.returncode, killed.stderr)
        self.assertIn(f"pid {gateway}", killed.stderr)
        self.assertEqual([], self.open_orders(port))

    def halted(self, status):
        return {p["symbol"] for p in status["positions"] if p["halted"]}

    def open_orders(self, port):
        request = urllib.request.Request(f"http://127.0.0.1:{port}/v2/orders",
                                         headers={"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": SECRET})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)


if __name__ == "__main__":
    unittest.main(verbosity=2)
