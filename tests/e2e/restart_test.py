"""Killing the whole demo at any moment and starting again needs no cleaning."""

import os
import random
import signal
import time
import unittest

from harness import LONG, Case, run, wait_for


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


if __name__ == "__main__":
    unittest.main(verbosity=2)
