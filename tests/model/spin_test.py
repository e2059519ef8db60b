#!/usr/bin/env python3
"""Runs the protocol models through Spin: each must hold as it stands, and each of its mutants must fail.

    spin_test.py [--long] [--keep DIR] [MODEL…]

A mutant is the model with one rule left out (-D on Spin's command line). A combination that is listed as holding shows
that two rules guard each other. The model itself must also reach each of its own statements: what is never reached
proves nothing. SLUICE_LONG=1 means --long: more processes, deaths and records. --keep leaves the error trails in DIR.
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
MODELS = {
    "takeover": {
        "fails": ["MAP_BEFORE_LOCK", "TAKEOVER_ON_HEARTBEAT", "MAPPING_IN_CHILD", "POSIX_LOCK", "UNLINKED_BY_HOLDER",
                  "NO_INODE_CHECK", "KILL_BY_PID", "NO_LOCK"],
        "holds": [],
    },
    "attach": {
        "fails": ["CONTROL_FIRST", "REMOVE_CONTROL_LAST", "NO_GENERATION_CHECK", "GENERATION_FROM_CLOCK",
                  "NO_ROLES_AT_CREATE", "LEFT_TEMPORARY", "IN_PLACE NO_READY_CHECK"],
        "holds": ["IN_PLACE", "NO_READY_CHECK", "ATTACH_BEFORE_ROLE"],
    },
    "conflation": {
        "fails": ["NO_OPENING", "OPENING_DROPPED", "NO_FLAG", "PASSES_A_LOSS", "FORGETS_THE_ROW", "SNAPSHOT_DROPPED",
                  "GAP_FORGOTTEN", "SNAPSHOT_BEFORE_GAP", "SETTLES_INSIDE_AN_EVENT", "TWO_SLOTS"],
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


def verify(model, mutant, long, keep):
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
        ["./pan", f"-m{DEPTH}", "-w24" if long else "-w20"],
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


def judge(model, mutant, expected, outcome):
    """One line for the table, and whether it is as expected."""
    errors, states, unreached, seconds, said = outcome
    name = f"{model} {mutant or '(as it stands)'}"
    if errors is None:
        return f"{name:<44} NOT VERIFIED {seconds:6.1f} s\n{said}", False
    how = re.search(r"pan:\d+: (.*)", said)
    how = how.group(1)[:70] if how else "every state"
    line = f"{name:<44} {'holds' if errors == 0 else 'fails':<6} {states:>9} states {seconds:6.1f} s  {how}"
    if (errors == 0) != (expected == "holds"):
        return f"{line}\n  EXPECTED: {expected}", False
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
        work.append((model, "", "holds", arguments.long))
        for expected, mutants in MODELS[model].items():
            work += [(model, mutant, expected, False) for mutant in mutants]
    with concurrent.futures.ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        runs = [(model, mutant, expected, pool.submit(verify, model, mutant, long, arguments.keep))
                for model, mutant, expected, long in work]
        for model, mutant, expected, run in runs:
            line, as_expected = judge(model, mutant, expected, run.result())
            good = good and as_expected
            print(line, flush=True)
    print("all as expected" if good else "FAILED")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
