#!/usr/bin/env python3
"""Runs the protocol models through Spin: each must hold as it stands, and each of its mutants must fail.

    spin_test.py [--long] [--keep DIR] [MODEL…]

A mutant is the model with one rule left out (-D on Spin's command line). It must violate the assertion that the table
names; processes that are stuck (an invalid end state) are no failure of a mutant. A combination that is listed as
holding shows that two rules guard each other. The model itself must also reach each of its own statements: what is
never reached proves nothing. SLUICE_LONG=1 means --long: more processes, deaths and records. --keep leaves the error
trails in DIR.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
# Of each model: which assertion each of its mutants must violate, in pan's words, and what holds.
ONE_WRITER = "writer==255"                      # nobody (FREE) writes when somebody begins to
LAYOUT_STANDS = "(!(there[0])||"                # beside a control segment
ONE_WHOLE_CREATION = "!(mixed)&&!(half)"        # is what an attach sees
ROWS_ARE_RIGHT = "]==truth["                    # or known to be after a gap, at quiescence
LOSSES_ANNOUNCED = "count<=(taken+told)"        # before a snapshot of what was lost
MODELS = {
    "takeover": {
        "fails": {"MAP_BEFORE_LOCK": ONE_WRITER, "TAKEOVER_ON_HEARTBEAT": ONE_WRITER, "MAPPING_IN_CHILD": ONE_WRITER,
                  "POSIX_LOCK": ONE_WRITER, "UNLINKED_BY_HOLDER": ONE_WRITER, "NO_INODE_CHECK": ONE_WRITER,
                  "KILL_BY_PID": "!(reused)", "NO_LOCK": ONE_WRITER},
        "holds": [],
    },
    "attach": {
        "fails": {"CONTROL_FIRST": LAYOUT_STANDS, "REMOVE_CONTROL_LAST": LAYOUT_STANDS,
                  "NO_GENERATION_CHECK": ONE_WHOLE_CREATION, "GENERATION_FROM_CLOCK": ONE_WHOLE_CREATION,
                  "NO_ROLES_AT_CREATE": "runs_on[(1-me)]==control_build", "LEFT_TEMPORARY": "!(temporary[",
                  "IN_PLACE NO_READY_CHECK": ONE_WHOLE_CREATION},
        "holds": ["IN_PLACE", "NO_READY_CHECK", "ATTACH_BEFORE_ROLE"],
    },
    "conflation": {
        "fails": {"NO_OPENING": ROWS_ARE_RIGHT, "OPENING_DROPPED": ROWS_ARE_RIGHT, "NO_FLAG": "flag||!(after_gap[row])",
                  "PASSES_A_LOSS": "(taken+told)==count", "FORGETS_THE_ROW": ROWS_ARE_RIGHT,
                  "SNAPSHOT_DROPPED": ROWS_ARE_RIGHT, "GAP_FORGOTTEN": LOSSES_ANNOUNCED,
                  "SNAPSHOT_BEFORE_GAP": LOSSES_ANNOUNCED, "SETTLES_INSIDE_AN_EVENT": "n>known[row]",
                  "TWO_SLOTS": "(announced==0)||(announced==n)"},
        "holds": [],
    },
}
DEPTH = "1000000"


def unlisted_switches(model):
    """Every switch of the model must be a mutant of the table."""
    listed = {word for kind in MODELS[model].values() for mutant in kind for word in mutant.split()}
    found = set(re.findall(r"^\s*#ifn?def\s+(\w+)", (HERE / f"{model}.pml").read_text(), re.M)) - {"LONG"}
    return found ^ listed


def compiler():
    """With ccache where there is one: the verifiers change only when a model does."""
    return [tool for tool in (shutil.which("ccache"), shutil.which("gcc")) if tool]


def verify(model, mutant, must_fail, long, keep):
    """One exhaustive search. Returns (errors or None, states, unreached, seconds, what pan said)."""
    start = time.monotonic()
    name = "-".join([model, *mutant.split()])
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=keep))
    switches = [f"-D{word}" for word in mutant.split()] + (["-DLONG"] if long else [])
    commands = [
        ["spin", "-a", *switches, str(HERE / f"{model}.pml")],
        # A mutant fails after few states: there the compiler's time counts.
        [*compiler(), "-O0" if mutant else "-O2", "-DSAFETY", "-DCOLLAPSE", "-DMEMLIM=6000", "-c", "pan.c", "-o",
         "pan.o"],
        ["gcc", "pan.o", "-o", "pan"],
        # -E: of a mutant that must fail only an assertion counts, so nothing stuck may end the search before it.
        ["./pan", f"-m{DEPTH}", "-w24" if long else "-w20", *(["-E"] if must_fail else [])],
    ]
    said = ""
    for command in commands:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        if done.returncode != 0:
            break
    if not keep:
        shutil.rmtree(folder)
    seconds = time.monotonic() - start
    errors = re.search(r"errors: (\d+)", said)
    states = re.search(r"([\d.e+]+) states, stored", said)
    incomplete = "Search not completed" in said and errors and errors.group(1) == "0"
    if done.returncode != 0 or not errors or not states or incomplete or "search depth too small" in said:
        return None, 0, [], seconds, said
    unreached = re.findall(r"^\t(\S+\.pml:\d+, state \d+, .*)$", said, re.M)
    return int(errors.group(1)), int(float(states.group(1))), unreached, seconds, said


def judge(model, mutant, assertion, outcome):
    """One line for the table, and whether it is as expected."""
    errors, states, unreached, seconds, said = outcome
    name = f"{model} {mutant or '(as it stands)'}"
    if errors is None:
        return f"{name:<44} NOT VERIFIED {seconds:6.1f} s\n{said}", False
    how = re.search(r"pan:\d+: (.*)", said)
    how = re.sub(r"\s+", " ", how.group(1)) if how else "every state"
    line = f"{name:<44} {'holds' if errors == 0 else 'fails':<6} {states:>9} states {seconds:6.1f} s  {how[:70]}"
    if not assertion and errors != 0:
        return f"{line}\n  EXPECTED: holds", False
    if assertion and not (errors and how.startswith("assertion violated ") and assertion in how.replace(" ", "")):
        return f"{line}\n  EXPECTED: assertion violated … {assertion} …", False
    if not mutant and unreached:
        return line + "\n  NEVER REACHED:\n    " + "\n    ".join(unreached), False
    return line, True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--long", action="store_true", default=os.environ.get("SLUICE_LONG") == "1")
    parser.add_argument("--keep", metavar="DIR")
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"of {', '.join(MODELS)} (default: all)")
    arguments = parser.parse_args()

    good = True
    work = []
    for model in arguments.models or MODELS:
        if unlisted_switches(model):
            print(f"{model}.pml and this table differ in their mutants: {sorted(unlisted_switches(model))}")
            good = False
        work.append((model, "", None, arguments.long))
        work += [(model, mutant, assertion, False) for mutant, assertion in MODELS[model]["fails"].items()]
        work += [(model, mutant, None, False) for mutant in MODELS[model]["holds"]]
    with concurrent.futures.ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        runs = [(model, mutant, assertion, pool.submit(verify, model, mutant, assertion is not None, long, arguments.keep))
                for model, mutant, assertion, long in work]
        for model, mutant, assertion, run in runs:
            line, as_expected = judge(model, mutant, assertion, run.result())
            good = good and as_expected
            print(line, flush=True)
    print("all as expected" if good else "FAILED")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
