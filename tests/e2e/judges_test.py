"""Ten planted bugs: each leaves valid JSON, and each is noticed. Which judges disagree is written down here in advance.

The binaries come from the `planted` preset (SLUICE_PLANTED_BIN_DIR); SLUICE_PLANTED_BUG=n switches one on. A crash or a
time-out does not count: the run has to end with exit code 1 and a report.
"""

import os
import pathlib
import sys
import unittest

import harness
from harness import Case

PLANTED = pathlib.Path(os.environ.get("SLUICE_PLANTED_BIN_DIR", harness.ROOT / "build" / "planted" / "bin"))
PAIRS = ("ours_venue", "ours_wire", "venue_wire")

OURS = ("ours_venue", "ours_wire")    # our books stand alone
LEDGER = ("ours_venue", "venue_wire")  # the ledger stands alone
WIRE = ("ours_wire", "venue_wire")     # the recomputation stands alone

# number: (what is wrong, pairs of judges that differ, whether the wire judge names a violation of the venue's own rules).
# Where no pair differs, all three follow the wire, and the wire contradicts itself or the rules: 3 and 4 our side repairs
# by reading the activities. 9 and 10 stand in `base`, which both sides share, so only the recomputation can see them: 10 as
# fees that are not the rule's, 9 also as cash, because what a queue leaves of a print has nine decimals.
BUGS = {
    1: ("simulator: the stream tells a price one tick away from the booked one", LEDGER, True),
    2: ("simulator: the ledger takes the fee from what was given", LEDGER, True),
    3: ("simulator: a partial fill is left out on the stream", (), True),
    4: ("simulator: the cumulative quantity carries one execution only", (), True),
    5: ("ours: the cash of a sell has the wrong sign", OURS, False),
    6: ("ours: fees of buys are ignored", OURS, False),
    7: ("ours: a cumulative quantity is taken for an incremental one", OURS, False),
    8: ("ours: a partial fill is skipped while the cumulative is trusted", OURS, False),
    9: ("base: products are cut off instead of rounded", WIRE, True),
    10: ("base: fees are kept to eight decimals", (), True),
}


class Judges(Case):
    def run_planted(self, number):
        demo = self.start_demo("--speed", "12", "--seconds", "6", "--quiet-within", "60" if number == 0 else "8",
                               environment={"SLUICE_PLANTED_BUG": str(number)})
        code, report = self.finish(demo)
        return code, report

    def check(self, number):
        what, pairs, violation = BUGS[number]
        code, report = self.run_planted(number)
        judges = report["judges"]
        self.assertEqual(1, code, what)
        self.assertFalse(report["reconciled"], what)
        self.assertEqual(set(pairs), {pair for pair in PAIRS if not judges[pair]}, f"{what}: {judges['differences']}")
        self.assertEqual(violation, bool(judges["violations"]), f"{what}: {judges['violations']}")

    def test_without_a_planted_bug_the_same_binaries_reconcile(self):
        code, report = self.run_planted(0)
        self.assertEqual([], report["why_not"])
        self.assertEqual(0, code)


for bug in BUGS:
    setattr(Judges, f"test_planted_bug_{bug:02}_is_noticed", lambda self, n=bug: self.check(n))


if __name__ == "__main__":
    if not (PLANTED / "sluice-demo").is_file():
        print(f"skipped: no planted binaries in {PLANTED}; build them with: tools/build planted demo_binaries")
        sys.exit(5)
    harness.BIN = PLANTED
    unittest.main(verbosity=2)
