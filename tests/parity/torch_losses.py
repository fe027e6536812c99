#!/usr/bin/env python3
"""Losses of ten training steps of small networks in PyTorch, from weights and data that a formula gives.

The engine must reproduce them (tests/sim/parity_test.cpp). Weights, inputs and labels come from one integer hash, so
that no array has to be stored. Blocks of parameters are in the order of the engine: weights [rows][columns], then
biases; dense [in][out], convolutions [kernel][kernel][in][out].

usage: torch_losses.py [--check GOLDEN.json]   prints the losses, or compares them with a stored file
"""
import argparse
import json
import math
import sys

BATCH, STEPS = 12, 10


def hashed(indices):
    """Integers in [0, 2^32): a fixed scramble of the index."""
    import numpy as np

    x = np.asarray(indices, dtype=np.uint64)
    x = (x * np.uint64(2654435761) + np.uint64(12345)) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(15)
    x = (x * np.uint64(2246822519)) & np.uint64(0xFFFFFFFF)
    return x ^ (x >> np.uint64(13))


def unit(indices):
    return hashed(indices).astype("float64") / 2**32


class Vector:
    """Hands out the blocks of the flat parameter vector, in order."""

    def __init__(self, torch):
        self.torch, self.next = torch, 0

    def take(self, count, scale, mean=0.0):
        import numpy as np

        values = mean + scale * (2 * unit(np.arange(self.next, self.next + count)) - 1)
        self.next += count
        return self.torch.tensor(values.astype("float32"))

    def dense(self, layer, into, out, bias=True, scale=None):
        scale = scale or 1 / math.sqrt(into)
        layer.weight.data = self.take(into * out, scale).reshape(into, out).T.contiguous()
        if bias:
            layer.bias.data = self.take(out, 0.1)

    def conv(self, layer, into, out, kernel, bias=True):
        weights = self.take(kernel * kernel * into * out, 1 / math.sqrt(kernel * kernel * into))
        layer.weight.data = weights.reshape(kernel, kernel, into, out).permute(3, 2, 0, 1).contiguous()
        if bias:
            layer.bias.data = self.take(out, 0.1)

    def norm(self, layer, width):
        layer.weight.data = self.take(width, 0.1, 1.0)
        layer.bias.data = self.take(width, 0.1)

    def table(self, *shape):
        return self.take(math.prod(shape), 0.3).reshape(*shape)


def build(torch, case):
    nn, functional = torch.nn, torch.nn.functional
    take = Vector(torch)

    class Mlp(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(20, 16), nn.Linear(16, 12), nn.Linear(12, 5)])
            for layer in self.layers:
                take.dense(layer, layer.in_features, layer.out_features)

        def forward(self, x):
            x = x.flatten(1)
            for layer in self.layers[:-1]:
                x = functional.gelu(layer(x)) if case["activation"] == "gelu" else torch.relu(layer(x))
            return self.layers[-1](x)

    class Cnn(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Conv2d(2, 5, 3, padding=1), nn.Conv2d(5, 7, 3, padding=1)
            self.out = nn.Linear(3 * 3 * 7, 5)
            take.conv(self.one, 2, 5, 3)
            take.conv(self.two, 5, 7, 3)
            take.dense(self.out, 63, 5)

        def forward(self, x):
            for conv in (self.one, self.two):
                x = functional.max_pool2d(torch.relu(conv(x)), 2)
            return self.out(x.permute(0, 2, 3, 1).flatten(1))

    class ConvNorm(nn.Module):
        def __init__(self, into, out, pool):
            super().__init__()
            self.conv, self.norm, self.pool = nn.Conv2d(into, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), pool
            take.conv(self.conv, into, out, 3, bias=False)
            take.norm(self.norm, out)

        def forward(self, x):
            x = torch.relu(self.norm(self.conv(x)))
            return functional.max_pool2d(x, 2) if self.pool else x

    class Resnet(nn.Module):
        def __init__(self):
            super().__init__()
            self.prep, self.stage1 = ConvNorm(3, 4, False), ConvNorm(4, 5, True)
            self.res1a, self.res1b = ConvNorm(5, 5, False), ConvNorm(5, 5, False)
            self.stage2, self.stage3 = ConvNorm(5, 6, True), ConvNorm(6, 7, True)
            self.res3a, self.res3b = ConvNorm(7, 7, False), ConvNorm(7, 7, False)
            self.out = nn.Linear(7, 5)
            take.dense(self.out, 7, 5)

        def forward(self, x):
            x = self.stage1(self.prep(x))
            x = x + self.res1b(self.res1a(x))
            x = self.stage3(self.stage2(x))
            x = x + self.res3b(self.res3a(x))
            return self.out(x.amax((2, 3)))

    class Block(nn.Module):
        def __init__(self, width, heads, hidden, causal):
            super().__init__()
            self.heads, self.causal = heads, causal
            self.norm1, self.qkv, self.project = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.norm2, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, hidden), nn.Linear(hidden, width)
            take.norm(self.norm1, width)
            take.dense(self.qkv, width, 3 * width)
            take.dense(self.project, width, width)
            take.norm(self.norm2, width)
            take.dense(self.up, width, hidden)
            take.dense(self.down, hidden, width)

        def forward(self, x):
            rows, tokens, width = x.shape
            q, k, v = self.qkv(self.norm1(x)).reshape(rows, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
            scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
            if self.causal:
                scores = scores.masked_fill(torch.triu(torch.ones(tokens, tokens, dtype=torch.bool), 1), -math.inf)
            mixed = (scores.softmax(-1) @ v).transpose(1, 2).reshape(rows, tokens, width)
            x = x + self.project(mixed)
            return x + self.down(functional.gelu(self.up(self.norm2(x))))

    class Vit(nn.Module):
        def __init__(self):
            super().__init__()
            self.patches = nn.Conv2d(3, 8, 4, 4)
            take.conv(self.patches, 3, 8, 4)
            self.token, self.positions = nn.Parameter(take.table(1, 1, 8)), nn.Parameter(take.table(1, 5, 8))
            self.blocks = nn.Sequential(*[Block(8, 2, 16, False) for _ in range(2)])
            self.norm, self.out = nn.LayerNorm(8), nn.Linear(8, 5)
            take.norm(self.norm, 8)
            take.dense(self.out, 8, 5)

        def forward(self, x):
            x = self.patches(x).flatten(2).transpose(1, 2)
            x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.positions
            return self.out(self.norm(self.blocks(x))[:, 0])

    class Gpt(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens, self.positions = nn.Parameter(take.table(11, 8)), nn.Parameter(take.table(1, 9, 8))
            self.blocks = nn.Sequential(*[Block(8, 2, 32, True) for _ in range(2)])
            self.norm = nn.LayerNorm(8)
            take.norm(self.norm, 8)
            if not case["tied"]:
                self.out = nn.Linear(8, 11, bias=False)
                take.dense(self.out, 8, 11, bias=False)

        def forward(self, x):
            x = self.norm(self.blocks(self.tokens[x] + self.positions))
            return x @ self.tokens.T if case["tied"] else self.out(x)

    return {"mlp": Mlp, "cnn": Cnn, "resnet": Resnet, "vit": Vit, "gpt": Gpt}[case["network"]]()


SHAPES = {"mlp": (4, 5, 1), "cnn": (12, 12, 2), "resnet": (16, 16, 3), "vit": (8, 8, 3)}


def batch(torch, case, step):
    import numpy as np

    if case["network"] == "gpt":
        ids = hashed(np.arange(BATCH * 10) + 7919 * (step + 1)) % 11
        ids = torch.tensor(ids.astype("int64")).reshape(BATCH, 10)
        return ids[:, :-1], ids[:, 1:]
    height, width, channels = SHAPES[case["network"]]
    size = height * width * channels
    x = unit(np.arange(BATCH * size) + 104729 * (step + 1)).astype("float32").reshape(BATCH, height, width, channels)
    x = torch.tensor(x) if case["network"] == "mlp" else torch.tensor(x).permute(0, 3, 1, 2)
    y = hashed(np.arange(BATCH) + 15485863 * (step + 1)) % 5
    return x, torch.tensor(y.astype("int64"))


def optimiser(torch, case, parameters):
    kind, rate = case["optimiser"], case["rate"]
    if kind == "adamw":
        return torch.optim.AdamW(parameters, lr=rate, weight_decay=case["decay"])
    return torch.optim.SGD(
        parameters, lr=rate, momentum=case["momentum"], nesterov=kind == "nesterov", weight_decay=case["decay"]
    )


CASES = [
    dict(name="mlp", network="mlp", optimiser="sgd", rate=0.1, momentum=0.9),
    dict(name="mlp-gelu-nesterov", network="mlp", activation="gelu", optimiser="nesterov", rate=0.1, momentum=0.9),
    dict(name="cnn", network="cnn", optimiser="sgd", rate=0.05, momentum=0.9, decay=0.01),
    dict(name="cnn-smoothed-clipped", network="cnn", optimiser="sgd", rate=0.05, smoothing=0.1, clip=0.5),
    dict(name="resnet", network="resnet", optimiser="sgd", rate=0.005, momentum=0.9),
    dict(name="vit-adamw", network="vit", optimiser="adamw", rate=0.003, decay=0.05),
    dict(name="vit-sgd", network="vit", optimiser="sgd", rate=0.05, momentum=0.9),
    dict(name="gpt-adamw", network="gpt", optimiser="adamw", rate=0.003, decay=0.1),
    dict(name="gpt-tied", network="gpt", tied=True, optimiser="sgd", rate=0.1, momentum=0.9),
]
DEFAULTS = dict(activation="relu", tied=False, momentum=0.0, decay=0.0, smoothing=0.0, clip=0.0)


def losses(torch, case):
    case = {**DEFAULTS, **case}
    model = build(torch, case)
    opt = optimiser(torch, case, list(model.parameters()))
    values = []
    for step in range(STEPS):
        x, y = batch(torch, case, step)
        logits = model(x)
        loss = torch.nn.functional.cross_entropy(
            logits.reshape(-1, logits.shape[-1]), y.reshape(-1), label_smoothing=case["smoothing"]
        )
        opt.zero_grad()
        loss.backward()
        if case["clip"] > 0:
            torch.nn.utils.clip_grad_norm_(model.parameters(), case["clip"])
        opt.step()
        values.append(loss.item())
    return values


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check")
    arguments = parser.parse_args()
    try:
        import torch
    except ImportError:
        print("SKIPPED: PyTorch is not importable")
        return 77
    torch.set_num_threads(1)
    result = {
        "origin": f"tests/parity/torch_losses.py, PyTorch {torch.__version__}, CPU, float32",
        "cases": [{**DEFAULTS, **case, "losses": losses(torch, case)} for case in CASES],
    }
    if not arguments.check:
        print(json.dumps(result, indent=1))
        return 0
    stored = json.load(open(arguments.check))["cases"]
    worst = 0.0
    for mine, theirs in zip(result["cases"], stored, strict=True):
        assert mine["name"] == theirs["name"], "the cases have changed: write the golden file again"
        worst = max([worst] + [abs(a / b - 1) for a, b in zip(mine["losses"], theirs["losses"], strict=True)])
    print(f"largest relative difference from the stored losses: {worst:.2e}")
    return 0 if worst < 1e-4 else 1


if __name__ == "__main__":
    sys.exit(main())
