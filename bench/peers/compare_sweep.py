#!/usr/bin/env python3
"""1000 runs of a tiny network: eos sweep on one and two threads against a loop in PyTorch, taking turns in one session.

usage: compare_sweep.py EOS [--python PYTHON] [--rounds N] [--seeds N]
EOS is the program; PYTHON an interpreter that can import PyTorch. Prints runs a second (best of the rounds) and ratios.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ENVIRONMENT = dict(os.environ, OMP_NUM_THREADS="1")


def run_json(command):
    return json.loads(subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True, text=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=200)
    arguments = parser.parse_args()
    sweep = os.path.join(HERE, "sweep_tiny.toml")
    rates = {"eos, 1 thread": [], "eos, 2 threads": [], "PyTorch loop": []}
    for _ in range(arguments.rounds):
        for threads in (1, 2):
            with tempfile.TemporaryDirectory() as folder:
                report = run_json([arguments.program, "sweep", sweep, "-o", os.path.join(folder, "s"), "--threads", str(threads),
                                   "--set", f"sweep.seeds={arguments.seeds}", "--format", "json", "-q"])
            rates[f"eos, {threads} thread{'s' if threads > 1 else ''}"].append(report["runs_per_second"])
        peer = run_json([arguments.python, os.path.join(HERE, "sweep_torch.py")])
        rates["PyTorch loop"].append(peer["runs_per_second"])
    best = {name: max(values) for name, values in rates.items()}
    print(f"PyTorch {peer['torch']}; {arguments.rounds} rounds; load {os.getloadavg()[0]:.1f}; runs a second, all rounds:")
    for name, values in rates.items():
        print(f"  {name:15} {best[name]:8.2f}   ({', '.join(f'{v:.2f}' for v in values)})")
    print(f"two threads / one: {best['eos, 2 threads'] / best['eos, 1 thread']:.2f}")
    print(f"two threads / PyTorch: {best['eos, 2 threads'] / best['PyTorch loop']:.1f}; "
          f"one thread / PyTorch: {best['eos, 1 thread'] / best['PyTorch loop']:.1f}")


if __name__ == "__main__":
    main()
