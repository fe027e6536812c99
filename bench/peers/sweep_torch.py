#!/usr/bin/env python3
"""The runs of bench/peers/sweep_tiny.toml as a loop in PyTorch; prints runs a second as JSON.

usage: sweep_torch.py [--runs N]
What a careful user writes: data on hand as one tensor, one thread (faster than two at this size), an evaluation at the
end of every run. The teacher task is drawn anew here: same shapes, other numbers.
"""
import argparse
import json
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

TRAIN, HELD, INPUTS, CLASSES, BATCH, EPOCHS = 6400, 500, 32, 10, 32, 5


def task():
    torch.manual_seed(0)
    teacher = nn.Sequential(nn.Linear(INPUTS, 32), nn.ReLU(), nn.Linear(32, CLASSES))
    x = torch.rand(TRAIN + 2 * HELD, INPUTS)
    with torch.no_grad():
        y = teacher(x).argmax(1)
    return x, y


def run(x, y, rate, seed):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(INPUTS, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, CLASSES))
    optimiser = torch.optim.SGD(model.parameters(), lr=rate)
    steps = TRAIN // BATCH * EPOCHS
    for step in range(steps):
        if step % (TRAIN // BATCH) == 0:
            order = torch.randperm(TRAIN)
        for group in optimiser.param_groups:
            group["lr"] = rate * (1 - step / steps)
        first = step % (TRAIN // BATCH) * BATCH
        rows = order[first : first + BATCH]
        loss = functional.cross_entropy(model(x[rows]), y[rows])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        return [(model(x[a:b]).argmax(1) == y[a:b]).float().mean().item() for a, b in ((TRAIN, TRAIN + HELD), (TRAIN + HELD, None))]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    x, y = task()
    run(x, y, 0.1, 0)
    begin = time.perf_counter()
    for seed in range(arguments.runs):
        run(x, y, 0.1, seed)
    seconds = time.perf_counter() - begin
    print(json.dumps({"torch": torch.__version__, "runs": arguments.runs, "runs_per_second": arguments.runs / seconds}))


if __name__ == "__main__":
    main()
