"""Suite `rings` with next to no load: everything runs, every checksum holds (the binary ends with an error when one does
not), and every figure that bench/README.md and the bars name is there. No bar is asserted: nothing here measures.

    rings_test.py BENCH_RINGS

Ends with 77, skipped, where the suite cannot run: on one core, or without an invariant TSC."""

import json
import subprocess
import sys

SKIPPED = 77  # SKIP_RETURN_CODE
RESOURCE = 73  # ExitCode::kResource, of which these two are no fault of the suite
CANNOT_RUN = ["two cores are needed", "the TSC of this machine is not invariant"]

PEERS = ["boost", "moodycamel", "pipe", "unix", "zeromq"]

METRICS = (
    [f"rtt_{link}_{p}" for link in ["floor", "ring", *PEERS] for p in ("p50", "p99")]
    + [f"rtt_{link}_p999" for link in ("floor", "ring", "boost", "moodycamel")]
    + [f"stream_64_4096_{link}" for link in ["floor", "floor_rested", *PEERS, "moodycamel_rested"]]
    + [f"stream_{shape}_{queue}" for shape in ("64_4096", "128_4096", "192_4096", "64_1024", "64_65536")
       for queue in ("ring", "ring_rested", "ring_batched", "ring_batched_rested", "boost", "boost_rested", "boost_batched",
                     "boost_batched_rested") if (shape, queue) != ("64_4096", "boost")]
    + [f"open_{rate}_{link}_{p}" for rate in ("1m", "5m") for link in ("ring", "boost", "moodycamel")
       for p in ("p50", "p99", "p999", "max")]
    + [f"loop5_{mode}_{p}" for mode in ("yield", "backoff") for p in ("p50", "p99")]
    + [f"parked_{mode}_{what}" for mode in ("yield", "backoff") for what in ("cpu", "wake")]
    + ["board_write", "board_read", "histogram_record", "counter_add", "clock_read", "trip_look",
       "ring_push_peek_release", "attach_instance", "attach_producer", "attach_consumer", "rtt_stage_p50",
       "rtt_stage_p99", "hop_added_p50", "yield_switch", "tap_ring", "tap_ring_rested", "tap_ring_batched",
       "tap_ring_batched_rested"])

RATIOS = ["rtt_p50_vs_floor", "rtt_p99_vs_floor", "rtt_p50_vs_best_peer", "rtt_p99_vs_best_peer",
          "throughput_64_vs_best_unbatched", "throughput_64_vs_best_unbatched_rested",
          "throughput_64_vs_best_process", "throughput_64_vs_best_batched",
          "throughput_bulk_vs_best_batched", "throughput_128_vs_best_batched", "throughput_192_vs_best_batched",
          "throughput_1024_slots_vs_best_batched", "ring_bulk_batched_vs_single", "tap_batched_vs_single",
          "loop5_yield_vs_switch"]


def run(binary, *options):
    return subprocess.run([binary, "--json", *options], capture_output=True, text=True, timeout=100, check=False)


def main():
    binary = sys.argv[1]
    for wrong in (["--only", "nonsense"], ["--rounds", "0"], ["--nonsense"]):
        assert run(binary, *wrong).returncode == 64, f"{wrong} is no usage error"
    done = run(binary, "--quick")
    if done.returncode == RESOURCE and any(reason in done.stderr for reason in CANNOT_RUN):
        print(f"skipped: {done.stderr.strip().splitlines()[-1]}")
        sys.exit(SKIPPED)
    assert done.returncode == 0, f"exit {done.returncode}: {done.stderr}"
    report = json.loads(done.stdout)
    for name, expected in (("metrics", METRICS), ("ratios", RATIOS), ("ranges", RATIOS)):
        found = set(report[name])
        assert found == set(expected), f"{name}: missing {set(expected) - found}, not in this test {found - set(expected)}"
    for name, metric in report["metrics"].items():
        assert metric["min"] <= metric["value"] <= metric["max"], f"{name}: {metric}"
        assert metric["unit"] in ("ns", "us", "M/s", "%"), f"{name}: {metric}"
    unknown = set(report["bars"]) - set(METRICS) - set(RATIOS)
    assert not unknown, f"bars of figures that are not measured: {unknown}"
    assert len(report["rounds"]["each"]) == 1, report["rounds"]

    part = run(binary, "--quick", "--only", "costs")
    assert part.returncode == 0 and "board_read" in part.stdout and "rtt_ring" not in part.stdout, part.stderr


if __name__ == "__main__":
    main()
