#!/usr/bin/python3
"""The dense training step of bench/kernels/mlp_step_bench.cpp in PyTorch: forward, cross-entropy, backward, SGD.

One thread. Prints one JSON object: versions, and per case the minimum and median time of a step in microseconds.
"""
import argparse
import json
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
import torch  # noqa: E402  (the number of threads must be set first)


def blas_library():
    """The BLAS that is loaded: Debian's PyTorch uses whatever libblas.so.3 points to, and the netlib one is slow."""
    with open("/proc/self/maps", encoding="utf-8") as maps:
        names = {line.split("/")[-1].strip() for line in maps if "blas" in line or "mkl" in line}
    return sorted(names)


def step_times(batch, momentum, foreach, steps):
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Linear(784, 256), torch.nn.ReLU(), torch.nn.Linear(256, 256), torch.nn.ReLU(), torch.nn.Linear(256, 10))
    optimiser = torch.optim.SGD(net.parameters(), lr=1e-3, momentum=momentum, foreach=foreach)
    x = torch.rand(batch, 784)
    y = torch.arange(batch) % 10
    loss_of = torch.nn.functional.cross_entropy
    times = []
    for _ in range(steps):
        begin = time.perf_counter()
        optimiser.zero_grad(set_to_none=True)
        loss_of(net(x), y).backward()
        optimiser.step()
        times.append(time.perf_counter() - begin)
    times.sort()
    return {"min_us": times[0] * 1e6, "median_us": times[len(times) // 2] * 1e6}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200)
    steps = parser.parse_args().steps
    torch.set_num_threads(1)
    cases = {}
    for batch in (128, 32):
        for momentum in (0.9, 0.0):
            # The faster of PyTorch's two implementations of the update counts.
            both = [step_times(batch, momentum, foreach, steps) for foreach in (False, True)]
            cases[f"batch {batch} momentum {momentum}"] = min(both, key=lambda times: times["min_us"])
    print(json.dumps({"torch": torch.__version__, "blas": blas_library(), "cases": cases}))


if __name__ == "__main__":
    main()
