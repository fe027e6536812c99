#!/usr/bin/python3
"""Dense MLP step of eos against PyTorch: both programs take turns in one session; prints times and their ratio.

usage: compare_mlp_step.py BENCH_KERNELS [--rounds N]
BENCH_KERNELS is the program bench_kernels of a build with -DEOS_BENCH=ON. A ratio above 1 means that eos is faster.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ENVIRONMENT = dict(os.environ, OMP_NUM_THREADS="1")


def run_eos(program):
    command = [program, "--benchmark_filter=^mlp_step/.*threads:1", "--benchmark_format=json", "--benchmark_min_time=0.5"]
    report = json.loads(subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True, text=True).stdout)
    cases = {}
    for row in report["benchmarks"]:
        arguments = dict(part.split(":") for part in row["name"].split("/") if ":" in part)
        momentum = float(arguments["momentum%"]) / 100
        cases[f"batch {arguments['batch']} momentum {momentum}"] = row
    return cases


def run_torch():
    command = ["/usr/bin/python3", os.path.join(HERE, "mlp_step_torch.py")]
    return json.loads(subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True, text=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    eos, peer, about = {}, {}, {}
    for _ in range(arguments.rounds):
        for case, row in run_eos(arguments.program).items():
            eos.setdefault(case, []).append(row)
        about = run_torch()
        for case, row in about["cases"].items():
            peer.setdefault(case, []).append(row)
    print(f"PyTorch {about['torch']}, BLAS {', '.join(about['blas'])}; one thread; {arguments.rounds} rounds; load {os.getloadavg()[0]:.1f}")
    if any(name == "libblas.so.3.11.0" for name in about["blas"]):
        print("warning: PyTorch uses the slow reference BLAS; install libopenblas0-openmp", file=sys.stderr)
    print(f"{'step':24} {'eos min':>9} {'median':>9} {'torch min':>10} {'median':>9}  {'ratio of minima':>15} {'of medians':>10}   us")
    slower = False
    for case in eos:
        low = [min(row["min_us"] for row in rows) for rows in (eos[case], peer[case])]
        middle = [statistics.median(row["median_us"] for row in rows) for rows in (eos[case], peer[case])]
        slower |= low[0] > low[1]
        print(f"{case:24} {low[0]:9.0f} {middle[0]:9.0f} {low[1]:10.0f} {middle[1]:9.0f}  {low[1] / low[0]:15.2f} {middle[1] / middle[0]:10.2f}")
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
