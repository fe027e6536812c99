#!/usr/bin/python3
"""One dense training epoch of the 784-256-256-10 network in PyTorch, to set beside dense_epoch of bench_sim.

One thread, samples gathered from bytes and scaled by 1/255, plain SGD. Also times progressive data dropout as
published (a scoring forward, then a second forward and the backward pass of what is kept), at fixed keep fractions.
Prints milliseconds of CPU time per epoch (the best of --rounds) and the ratio to dense.
"""
import argparse
import os
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
import torch  # noqa: E402  (the number of threads must be set first)

from mlp_step_torch import blas_library  # noqa: E402

SAMPLES = 12800


def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(784, 256), torch.nn.ReLU(), torch.nn.Linear(256, 256), torch.nn.ReLU(), torch.nn.Linear(256, 10))


def epoch_seconds(batch, keep):
    net = network()
    optimiser = torch.optim.SGD(net.parameters(), lr=1e-6, foreach=True)
    inputs = torch.randint(0, 256, (SAMPLES, 784), dtype=torch.uint8)
    labels = torch.arange(SAMPLES) % 10
    order = torch.randperm(SAMPLES)
    cut = None
    if keep < 1:  # the probability below which this share of the samples lies
        with torch.no_grad():
            p = torch.softmax(net(inputs.float() / 255), 1).gather(1, labels[:, None])[:, 0]
        cut = p.sort().values[int(keep * SAMPLES)]
    begin = time.process_time()
    for first in range(0, SAMPLES, batch):
        index = order[first:first + batch]
        x, y = inputs[index].float().div_(255), labels[index]
        if cut is not None:
            with torch.no_grad():
                p = torch.softmax(net(x), 1).gather(1, y[:, None])[:, 0]
            mask = p < cut
            x, y = x[mask], y[mask]
            if len(y) == 0:
                continue
        optimiser.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(net(x), y).backward()
        optimiser.step()
    return time.process_time() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    blas = blas_library()
    print(f"PyTorch {torch.__version__}, BLAS {', '.join(blas)}, one thread, {SAMPLES} samples, best of {rounds}; "
          f"load {os.getloadavg()[0]:.1f}")
    if "libblas.so.3.11.0" in blas:
        print("warning: this is the slow reference BLAS; install libopenblas0-openmp", file=sys.stderr)
    for batch in (128, 32):
        dense = None
        for keep in (1.0, 0.5, 0.3, 0.1):
            best = min(epoch_seconds(batch, keep) for _ in range(rounds)) * 1e3
            dense = dense or best
            print(f"batch {batch:4d}  keep {keep:4.2f}  {best:8.1f} ms  ratio {best / dense:5.3f}")


if __name__ == "__main__":
    main()
