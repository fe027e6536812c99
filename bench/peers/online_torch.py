#!/usr/bin/python3
"""Online training (batch 1) of 784-100-10 in PyTorch, to set beside online of bench_sim and online_step of bench_kernels.

One thread, samples gathered from bytes and scaled by 1/255, plain SGD, no counts. Two versions: the usual one (modules,
autograd, torch.optim.SGD) and one written out by hand with in-place rank-one updates (addr_), which is the least that
PyTorch can do. Prints samples per second of CPU time, the best of --rounds.
"""
import argparse
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
import torch  # noqa: E402  (the number of threads must be set first)

from mlp_step_torch import blas_library  # noqa: E402

SAMPLES = 1000


def images(centred):
    """Bytes of which 19 % are not zero, as in MNIST."""
    torch.manual_seed(0)
    inputs = torch.randint(1, 256, (SAMPLES, 784), dtype=torch.uint8)
    inputs[torch.rand(SAMPLES, 784) >= 0.19] = 0
    return inputs, float(inputs.float().mean() / 255) if centred else 0.0


def usual(inputs, mean, labels):
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(784, 100), torch.nn.ReLU(), torch.nn.Linear(100, 10))
    optimiser = torch.optim.SGD(net.parameters(), lr=1e-4)
    begin = time.process_time()
    for i in range(SAMPLES):
        x = inputs[i:i + 1].float().div_(255).sub_(mean)
        optimiser.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(net(x), labels[i:i + 1]).backward()
        optimiser.step()
    return time.process_time() - begin


@torch.no_grad()
def by_hand(inputs, mean, labels):
    torch.manual_seed(0)
    w1, b1 = torch.randn(784, 100) * 0.05, torch.zeros(100)
    w2, b2 = torch.randn(100, 10) * 0.05, torch.zeros(10)
    rate = 1e-4
    begin = time.process_time()
    for i in range(SAMPLES):
        x = inputs[i].float().div_(255).sub_(mean)
        h = torch.addmv(b1, w1.t(), x).relu_()
        dz = torch.softmax(torch.addmv(b2, w2.t(), h), 0)
        dz[labels[i]] -= 1
        dh = torch.mv(w2, dz).mul_(h > 0)
        w2.addr_(h, dz, alpha=-rate)
        b2.sub_(dz, alpha=rate)
        w1.addr_(x, dh, alpha=-rate)
        b1.sub_(dh, alpha=rate)
    return time.process_time() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    print(f"PyTorch {torch.__version__}, BLAS {', '.join(blas_library())}, one thread, best of {rounds}; "
          f"load {os.getloadavg()[0]:.1f}")
    labels = torch.arange(SAMPLES) % 10
    for name, centred in (("raw", False), ("centred", True)):
        inputs, mean = images(centred)
        for version in (usual, by_hand):
            best = min(version(inputs, mean, labels) for _ in range(rounds))
            print(f"{name:8s} {version.__name__:8s} {SAMPLES / best:8.0f} samples/s")


if __name__ == "__main__":
    main()
