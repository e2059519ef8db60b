"""The demo: the whole pipeline reconciles on each of its three inputs, also when an order's answer is lost and when the
kill switch is tripped."""

import json
import os
import pathlib
import signal
import unittest

import database_check
from harness import ROOT, Case, account, run, wait_for

SHORT = ("--speed", "12", "--seconds", "8")
SHORTER = ("--speed", "12", "--seconds", "6")

# Every variant of the simulator that a session of pairs can meet, the other way than by default.
OTHER_WAYS = ",".join((
    "post-status=accepted", "pending-new-event=off", "pending-cancel-event=off", "pending-replace-event=off",
    "held-event=off", "replaced-event=after", "cancel-in-replace=refused", "repeat-cancel=422", "frames=text",
    "early-listen=dropped", "offsets=mixed", "execution-id=fills", "wash-status=422"))

# No message of the stream twice, out of order or left out: the wire judge holds that against the venue.
FAULTS = "; ".join((
    "post lose-answer every=7", "patch lose-answer every=5", "delete cut-answer every=5", "rest delay ms=30 chance=100",
    "positions stale every=3", "account error status=503 chance=50", "trading delay ms=20 chance=200",
    "trading cut every=60", "fills split pieces=3", "cancels late ms=100 chance=300"))


EQUITIES = pathlib.Path(os.environ.get("SLUICE_DATA", ROOT.parent / "shared" / "data"))


class Demo(Case):
    def assert_reconciled(self, code, report):
        self.assertEqual([], report["why_not"])
        self.assertEqual(0, code)
        self.assertTrue(report["reconciled"])
        for count in ("events", "intents", "orders", "fills", "partial_fills", "cancels", "replaces"):
            self.assertGreater(report[count], 0, count)
        self.assertEqual({"ours_venue", "ours_wire", "venue_wire"},
                         {pair for pair, equal in report["judges"].items() if equal is True} - {"equal"})
        self.assertEqual(["momentum", "quoter"], [s["name"] for s in report["strategies"]])
        for strategy in report["strategies"]:
            self.assertGreater(strategy["fills"], 0, strategy["name"])
        for count in ("orders", "fills", "replaces"):
            self.assertEqual(report[count], sum(s[count] for s in report["strategies"]), count)
        database_check.check(self, self.runs()[-1], report)

    def test_recorded_session_ends_reconciled_to_the_unit(self):
        code, report = self.finish(self.start_demo(*SHORT))
        self.assert_reconciled(code, report)
        for hop in ("wire_to_record", "feed_to_strategy", "decide", "strategy_to_risk", "approve", "risk_to_gateway",
                    "gate", "gate_to_wire", "tick_to_order", "order_to_ack"):
            self.assertGreater(report["latency_ns"][hop]["count"], 0, hop)
        self.assertTrue(all(ring["gaps"] == 0 and ring["drops"] == 0 for ring in report["rings"].values()))
        self.assert_nothing_left()

    def test_synthetic_equities_with_halts_end_reconciled_to_the_unit(self):
        template = self.template(base="demo-equity.toml")
        # The whole session: its halt and pause and both resumptions come.
        code, report = self.finish(self.start_demo("--input", "synthetic", "--speed", "8", template=template))
        self.assert_reconciled(code, report)
        self.assertGreaterEqual(report["statuses"], 2)
        self.assertEqual(["SYND", "SYNE"], report["strategies"][1]["instruments"])
        self.assertTrue(all(float(fee) == 0 for fee in report["fees"].values()), report["fees"])
        self.assertEqual({}, report["dust"])

    def test_recorded_equities_end_reconciled_to_the_unit(self):
        if not (EQUITIES / "lean" / "equity" / "usa" / "tick" / "ibm").is_dir():
            self.skipTest(f"no recorded equities in {EQUITIES}; set SLUICE_DATA to the folder that holds lean/")
        template = self.template(base="demo-equity.toml")
        code, report = self.finish(self.start_demo("--input", "equity", "--data", EQUITIES, "--speed", "12", "--seconds",
                                                   "15", template=template))
        self.assert_reconciled(code, report)
        self.assertEqual({}, report["dust"])

    def test_missing_data_is_named_with_what_to_give(self):
        template = self.template(base="demo-equity.toml")
        done = run("sluice-demo", "--source", ROOT, "--root", self.folder, "--input", "equity", "--data",
                   self.folder / "nowhere", "--config", template)
        self.assertEqual(73, done.returncode, done.stderr)
        for part in ("nowhere/lean/equity/usa", "--data", "SLUICE_DATA", "--input synthetic"):
            self.assertIn(part, done.stderr)
        self.assertEqual([], self.runs())

    def test_order_whose_answer_was_lost_is_found_and_booked_once(self):
        code, report = self.finish(self.start_demo(*SHORT, "--fault", "post lose-answer every=4"))
        self.assertEqual([], report["why_not"])
        self.assertEqual(0, code)
        self.assertGreater(report["unknown_outcomes"], 0)

    def test_replace_whose_answer_was_lost_is_found_and_counts_once(self):
        code, report = self.finish(self.start_demo(*SHORT, "--fault", "patch lose-answer every=3"))
        self.assertEqual([], report["why_not"])
        self.assertEqual(0, code)
        self.assertGreater(report["unknown_outcomes"], 0)
        self.assertGreater(report["replaces"], 0)

    def test_venue_that_differs_in_all_that_is_not_known_of_it_ends_reconciled(self):
        code, report = self.finish(self.start_demo(*SHORTER, "--variant", OTHER_WAYS))
        self.assert_reconciled(code, report)

    def test_successors_that_count_their_predecessors_executions_end_reconciled(self):
        code, report = self.finish(self.start_demo(*SHORTER, "--variant", "replace-filled=carried,offsets=mixed"))
        self.assert_reconciled(code, report)

    def test_faults_of_requests_answers_and_the_venue_together_end_reconciled(self):
        code, report = self.finish(self.start_demo(*SHORTER, "--fault", FAULTS))
        self.assert_reconciled(code, report)
        self.assertGreater(report["unknown_outcomes"], 0)

    def test_kill_in_mid_run_stops_new_orders_cancels_what_works_and_resume_goes_on(self):
        # A bid rests almost all the time, so that there is something to cancel.
        template = self.template(('rest_every = "600ms"', 'rest_every = "50ms"'), ('rest_for = "300ms"', 'rest_for = "20s"'),
                                 ('rest_offset_bps = "0.1"', 'rest_offset_bps = "20"'))
        demo = self.start_demo("--speed", "6", "--seconds", "25", "--any-activity", template=template)
        config = self.config_of_run()
        self.wait_status(config, "an order rests", lambda s: account(s, "working") > 0)
        killed = run("sluicectl", "kill", "--cancel-all", "--reason", "test", "--config", config)
        self.assertEqual(0, killed.returncode, killed.stderr)
        self.assertIn("stamped after", killed.stderr)
        after = self.status(config)
        self.assertTrue(after["killed"])
        self.assertEqual(0, account(after, "working") + account(after, "in_flight") + account(after, "unknown"))
        sent = self.rest_orders(config)
        self.assert_screen_agrees(config, after)
        # The strategy goes on asking, and not one order leaves.
        asked = self.intents(after)
        self.wait_status(config, "the strategy asks ten times more", lambda s: self.intents(s) > asked + 10)
        self.assertEqual(sent, self.rest_orders(config))
        self.assertEqual(0, run("sluicectl", "resume", "--config", config).returncode)
        wait_for("orders leave again", lambda: self.rest_orders(config) > sent)
        code, report = self.finish(demo)
        self.assertEqual([], report["why_not"])
        self.assertEqual(0, code)
        self.assertGreater(report["refusals"]["killed"], 0)

    def test_interrupted_demo_stops_everything_and_leaves_nothing(self):
        demo = self.start_demo("--speed", "6", "--seconds", "60")
        self.wait_status(self.config_of_run(), "it trades", lambda s: account(s, "executions") > 0)
        os.kill(demo.pid, signal.SIGINT)
        self.assertNotEqual(0, demo.wait(60))
        demo.stdout.close()
        self.assert_nothing_left()

    def assert_screen_agrees(self, config, status):
        """shm-top, which finds everything by itself, shows the same rings, stages and kill words."""
        looked = run("shm-top", "--json", "--interval", "100", "--config", config)
        self.assertEqual(0, looked.returncode, looked.stderr)
        shown = json.loads(looked.stdout)
        self.assertEqual({r["ring"] for r in status["rings"]}, {r["ring"] for r in shown["rings"]})
        self.assertEqual({s["stage"] for s in status["stages"]}, {s["stage"] for s in shown["stages"]})
        self.assertLessEqual({s["state"] for s in shown["stages"]}, {"live", "recovering"})
        self.assertEqual([], [r for r in shown["rings"] if r["trouble"] or r["broken"]])
        self.assertIn({"by": "operator", "scope": "everything", "words": "cancel all"}, shown["trading"]["kills"])

    def intents(self, status):
        return next(r["messages"] for r in status["rings"] if r["ring"] == "intent.momentum")

    def rest_orders(self, config):
        """Orders the venue ever had: refused ones have a row, too, but no order at the venue."""
        status = self.status(config)
        return next(s["counters"]["sent"] for s in status["stages"] if s["stage"] == "gateway")


if __name__ == "__main__":
    unittest.main(verbosity=2)
