#!/usr/bin/env python3
"""One dense training step of each proxy in PyTorch on one thread: the networks of bench/sim/proxy_bench.cpp.

Prints one JSON object: version and, per proxy, the minimum and median time of a step in milliseconds. Of channels first
and last, of looped and grouped optimiser updates, the faster counts.
"""
import argparse
import json
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
import torch  # noqa: E402  (the number of threads must be set first)
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402


def mlp(*widths):
    layers = []
    for into, out in zip(widths, widths[1:]):
        layers += [nn.Linear(into, out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Cnn(nn.Module):
    """For square images; they halve three times."""

    def __init__(self, channels=3, side=32):
        super().__init__()
        self.convs = nn.ModuleList([nn.Conv2d(a, b, 3, padding=1) for a, b in ((channels, 32), (32, 64), (64, 128))])
        self.out = nn.Linear(128 * (side // 8) ** 2, 10)

    def forward(self, x):
        for conv in self.convs:
            x = functional.max_pool2d(functional.relu(conv(x)), 2)
        return self.out(x.flatten(1))


class Block(nn.Module):
    def __init__(self, width, heads, hidden, causal):
        super().__init__()
        self.norm1, self.qkv, self.project = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.norm2, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.heads, self.causal = heads, causal

    def attention(self, q, k, v):
        if hasattr(functional, "scaled_dot_product_attention"):
            return functional.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
        if self.causal:
            tokens = q.shape[-2]
            scores = scores.masked_fill(torch.ones(tokens, tokens, dtype=torch.bool).triu(1), float("-inf"))
        return scores.softmax(-1) @ v

    def forward(self, x):
        rows, tokens, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(rows, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        x = x + self.project(self.attention(q, k, v).transpose(1, 2).reshape(rows, tokens, width))
        return x + self.down(functional.gelu(self.up(self.norm2(x))))


class Vit(nn.Module):
    def __init__(self, channels=3, side=32):
        super().__init__()
        self.patches = nn.Conv2d(channels, 128, 4, 4)
        tokens = (side // 4) ** 2 + 1
        self.token, self.positions = nn.Parameter(torch.zeros(1, 1, 128)), nn.Parameter(torch.zeros(1, tokens, 128))
        self.blocks = nn.Sequential(*[Block(128, 4, 256, False) for _ in range(4)])
        self.norm, self.out = nn.LayerNorm(128), nn.Linear(128, 10)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.positions
        return self.out(self.norm(self.blocks(x))[:, 0])


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(256, 128), nn.Parameter(torch.zeros(1, 128, 128))
        self.blocks = nn.Sequential(*[Block(128, 4, 512, True) for _ in range(4)])
        self.norm, self.out = nn.LayerNorm(128), nn.Linear(128, 256, bias=False)

    def forward(self, x):
        return self.out(self.norm(self.blocks(self.tokens(x) + self.positions)))


def images(rows):
    return torch.rand(rows, 3, 32, 32), torch.arange(rows) % 10


def vectors(rows, width):
    return torch.rand(rows, width), torch.arange(rows) % 10


def text(rows):
    return torch.randint(256, (rows, 128)), torch.arange(rows * 128).reshape(rows, 128) % 256


PROXIES = {
    "mlp": (lambda: mlp(784, 256, 256, 10), lambda: vectors(128, 784)),
    "tiny": (lambda: mlp(32, 64, 64, 10), lambda: vectors(32, 32)),
    "cnn": (Cnn, lambda: images(128)),
    "vit": (Vit, lambda: images(64)),
    "gpt": (Gpt, lambda: text(16)),
}


def step_times(make, batch, channels_last, foreach, seconds):
    torch.manual_seed(0)
    net = make()
    x, y = batch()
    if channels_last:
        net, x = net.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(net.parameters(), lr=1e-6, momentum=0.9, foreach=foreach)
    times = []
    while len(times) < 5 or sum(times) < seconds:
        begin = time.perf_counter()
        optimiser.zero_grad(set_to_none=True)
        out = net(x)
        functional.cross_entropy(out.reshape(-1, out.shape[-1]), y.reshape(-1)).backward()
        optimiser.step()
        times.append(time.perf_counter() - begin)
    times = sorted(times[2:])
    return {"min_ms": times[0] * 1e3, "median_ms": times[len(times) // 2] * 1e3}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--only", nargs="*", default=list(PROXIES))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cases = {}
    for name in arguments.only:
        make, batch = PROXIES[name]
        layouts = (False, True) if name in ("cnn", "vit") else (False,)
        tried = [step_times(make, batch, last, each, arguments.seconds) for last in layouts for each in (False, True)]
        cases[name] = min(tried, key=lambda t: t["min_ms"])
    print(json.dumps({"torch": torch.__version__, "cases": cases}))


if __name__ == "__main__":
    main()
