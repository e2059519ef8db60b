"""A consumer that stands still: nobody waits for it, and when it goes on it learns what it missed."""

import os
import pathlib
import signal
import struct
import unittest

from harness import Case, account, run

# shm/ring_core.hpp: behind the header page and the tail's line, the sixth word of ProducerWords.
OWED_WORD = 4096 + 64 + 5 * 8


def ring(status, name):
    return next(r for r in status["rings"] if r["ring"] == name)


def stage(status, name):
    return next(s for s in status["stages"] if s["stage"] == name)


def incarnations_of_positions(segments, rows):
    """The gateway's incarnations in the event numbers of the board's rows (PositionRow: 15 words, n is the second)."""
    found = set()
    with open(segments / "board.positions", "rb") as board:
        for row in range(rows):
            board.seek(4096 + row * 256)
            words = struct.unpack("<31Q", board.read(31 * 8))
            found.add(words[1 + words[0] % 2 * 15 + 1] >> 40)
    return found


def counter(status, name, what):
    return stage(status, name)["counters"][what]


class FullRing(Case):
    def up(self, *replacements):
        _, port = self.start_venue()
        config = self.config(port, *replacements)
        process, log = self.start("sluicectl", "up", "--hang-ms", "600000", "--config", config)
        return config, process, log

    def end(self, process, log):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(0, process.wait(60), log.read_text(encoding="utf-8"))

    def test_full_market_data_ring_conflates_and_blocks_nobody(self):
        config, process, log = self.up(("market_data_slots = 16384", "market_data_slots = 64"))
        name = "md.crypto.momentum"
        status = self.wait_status(config, "market data flows", lambda s: ring(s, name)["messages"] > 100)
        os.kill(stage(status, "strategy.momentum")["pid"], signal.SIGSTOP)
        status = self.wait_status(config, "the ring is full", lambda s: ring(s, name)["depth"] == 64)
        lost = ring(status, name)["drops"]
        status = self.wait_status(config, "records are lost", lambda s: ring(s, name)["drops"] > lost + 50)
        self.assertEqual(64, ring(status, name)["depth"])
        self.assertGreater(ring(status, name)["owed"], 0)
        # The board and risk go on.
        events = counter(status, "risk", "market_events")
        self.wait_status(config, "risk goes on", lambda s: counter(s, "risk", "market_events") > events + 100)
        gaps = ring(status, name)["gaps"]
        snapshots = ring(status, name)["snapshots"]
        os.kill(stage(status, "strategy.momentum")["pid"], signal.SIGCONT)
        status = self.wait_status(config, "the strategy is told", lambda s: ring(s, name)["owed"] == 0
                                  and counter(s, "strategy.momentum", "gaps") > gaps)
        self.assertGreater(ring(status, name)["gaps"], gaps)
        self.assertGreater(ring(status, name)["snapshots"], snapshots)
        seen = ring(status, name)["messages"]
        self.wait_status(config, "the strategy goes on", lambda s: ring(s, name)["messages"] > seen + 100)
        status = self.wait_status(config, "all that was lost is told", lambda s: ring(s, name)["owed"] == 0
                                  and counter(s, "strategy.momentum", "lost") == ring(s, name)["drops"])
        self.end(process, log)

    def test_full_journal_ring_lets_no_new_risk_pass_and_the_journal_names_what_it_lacks(self):
        config, process, log = self.up(("persistence_slots = 65536", "persistence_slots = 64"))
        name = "exec.persistence"
        status = self.wait_status(config, "orders are filled", lambda s: account(s, "executions") > 2)
        os.kill(stage(status, "persistence")["pid"], signal.SIGSTOP)
        # Strategies go on deciding; each refusal is a record that finds no room.
        status = self.wait_status(config, "the ring overflowed", lambda s: ring(s, name)["drops"] > 5, within=120)
        self.assertEqual(64, ring(status, name)["depth"])

        def refused(status):
            return stage(status, "gateway")["refusals"].get("journal_high_water", 0)
        # Counters are published every 10 ms: two of them are of one moment once both have moved on.
        before = refused(status)
        status = self.wait_status(config, "more is refused", lambda s: refused(s) > before)
        sent, before = counter(status, "gateway", "sent"), refused(status)
        status = self.wait_status(config, "still more is refused", lambda s: refused(s) > before)
        self.assertEqual(sent, counter(status, "gateway", "sent"), "new risk passed beside a full journal")
        os.kill(stage(status, "persistence")["pid"], signal.SIGCONT)
        status = self.wait_status(config, "the journal is told", lambda s: ring(s, name)["owed"] == 0
                                  and ring(s, name)["snapshots"] > 0 and ring(s, name)["depth"] == 0)
        self.assertGreater(ring(status, name)["gaps"], 0)
        self.wait_status(config, "trading goes on", lambda s: counter(s, "gateway", "sent") > sent)
        self.end(process, log)
        journal = self.folder / "run" / "journal"
        verified = run("sluice-journal", "verify", journal)
        self.assertEqual(0, verified.returncode, verified.stdout + verified.stderr)
        shown = run("sluice-journal", "cat", journal)
        self.assertIn("gap", shown.stdout)
        self.assertIn("snapshot", shown.stdout)

    def test_gateway_that_died_owing_executions_trips_the_next_one(self):
        _, port = self.start_venue()
        config = self.config(port)
        process, log = self.start("sluicectl", "up", "--restart", "--hang-ms", "600000", "--config", config)
        status = self.wait_status(config, "orders are filled", lambda s: account(s, "executions") > 0)
        before = stage(status, "gateway")
        os.kill(before["pid"], signal.SIGSTOP)
        # As if three orders had found the ring full, and five the journal's: the word that a producer keeps there.
        segments = pathlib.Path("/dev/shm/sluice") / self.name
        for name, owed in (("exec.momentum", 3), ("exec.persistence", 5)):
            with open(segments / f"ring.{name}.data", "r+b") as segment:
                segment.seek(OWED_WORD)
                segment.write(struct.pack("<Q", owed))
            self.assertEqual(owed, ring(self.status(config), name)["owed"])
        os.kill(before["pid"], signal.SIGKILL)
        status = self.wait_status(config, "the next gateway tripped", lambda s:
                                  stage(s, "gateway")["incarnation"] == before["incarnation"] + 1
                                  and counter(s, "gateway", "trips") > 0)
        self.assertIn("died owing executions to strategy.momentum: kill switch tripped", log.read_text(encoding="utf-8"))
        self.assertIn("died owing the journal 5 records or more", log.read_text(encoding="utf-8"))
        # Whoever adopts a row of this gateway's skips what the rings still hold of the one before.
        self.assertEqual({stage(status, "gateway")["incarnation"]}, incarnations_of_positions(segments, 8))
        sent = counter(status, "gateway", "sent")
        intents = counter(status, "strategy.momentum", "intents")
        status = self.wait_status(config, "the strategy decides", lambda s: counter(s, "strategy.momentum", "intents") > intents)
        self.assertEqual(sent, counter(self.status(config), "gateway", "sent"))
        resumed = run("sluicectl", "resume", "--config", config)
        self.assertEqual(0, resumed.returncode, resumed.stderr)
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        shown = run("sluice-journal", "cat", self.folder / "run" / "journal")
        self.assertRegex(shown.stdout, r"gap.*\b5\b")


if __name__ == "__main__":
    unittest.main(verbosity=2)
