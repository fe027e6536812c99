#!/usr/bin/env python3
"""Dense steps of the proxies: eos against PyTorch, taking turns in one session; prints times and their ratio.

usage: compare_proxies.py BENCH_SIM [--python PYTHON] [--rounds N]
BENCH_SIM is the program bench_sim of a build with -DEOS_BENCH=ON; PYTHON is an interpreter that can import PyTorch. A
ratio above 1 means that eos is faster. The last column is the throughput of two runs on two cores over that of one.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ENVIRONMENT = dict(os.environ, OMP_NUM_THREADS="1")


def run_json(command):
    return json.loads(subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True, text=True).stdout)


def run_eos(program):
    report = run_json([program, "--benchmark_filter=^proxy_step/", "--benchmark_format=json", "--benchmark_min_time=1"])
    one, two = {}, {}
    for row in report["benchmarks"]:
        name = row["name"].split("/")[1]
        (two if "two_runs" in row["name"] else one)[name] = row["real_time"]
    return one, two


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    eos, pair, peer, version = {}, {}, {}, ""
    for _ in range(arguments.rounds):
        one, two = run_eos(arguments.program)
        report = run_json([arguments.python, os.path.join(HERE, "proxies_torch.py")])
        version = report["torch"]
        for name in one:
            eos.setdefault(name, []).append(one[name])
            pair.setdefault(name, []).append(two[name])
            peer.setdefault(name, []).append(report["cases"][name])
    print(f"PyTorch {version}; one thread; {arguments.rounds} rounds; load {os.getloadavg()[0]:.1f}")
    print(f"{'proxy':8} {'eos min':>9} {'median':>9} {'torch min':>10} {'median':>9} {'ratio':>7} {'two runs':>9}   ms")
    for name, times in eos.items():
        low = min(row["min_ms"] for row in peer[name])
        middle = statistics.median(row["median_ms"] for row in peer[name])
        # With two threads the reported time is per iteration of either thread.
        gain = statistics.median(a / b for a, b in zip(times, pair[name], strict=True))
        print(f"{name:8} {min(times):9.3f} {statistics.median(times):9.3f} {low:10.3f} {middle:9.3f} {low / min(times):7.2f} {gain:9.2f}")


if __name__ == "__main__":
    main()
