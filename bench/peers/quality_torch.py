#!/usr/bin/env python3
"""Trains the proxies in PyTorch with the recipes of examples/networks: what eos should reach with the same.

usage: quality_torch.py cnn|cnn-adamw|vit|gpt --data FOLDER_OR_TEXT [--epochs E] [--seeds 1 2 3]
Same data splits (the first 50 000 training images; consecutive windows of text), batches, initial distributions, learning
rates per update and weight decay; draws differ. Prints the result of every epoch and seed as one line of JSON.
"""
import argparse
import gzip
import json
import math
import os
import pathlib
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from proxies_torch import Cnn, Gpt, Vit  # noqa: E402


def idx(folder, name):
    for path in (pathlib.Path(folder) / name, pathlib.Path(folder) / (name + ".gz")):
        if path.exists():
            raw = gzip.open(path).read() if path.suffix == ".gz" else path.read_bytes()
            dims = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(raw[3])]
            return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(dims)
    raise SystemExit(f"{folder} holds no {name}")


def images(folder, standardise):
    def load(kind, count):
        x = torch.tensor(idx(folder, f"{kind}-images-idx3-ubyte")[:count].astype("float32") / 255)[:, None]
        return x, torch.tensor(idx(folder, f"{kind}-labels-idx1-ubyte")[:count].astype("int64"))

    (x, y), (test_x, test_y) = load("train", 50000), load("t10k", 10000)
    if standardise:
        mean, deviation = x.mean(), x.std()
        x, test_x = (x - mean) / deviation, (test_x - mean) / deviation
    return x, y, test_x, test_y


def text(path, tokens=128, train=30000, held=1000):
    whole = gzip.open(path).read() if str(path).endswith(".gz") else pathlib.Path(path).read_bytes()
    raw = torch.tensor(np.frombuffer(whole, np.uint8).astype("int64"))

    def windows(start, count):
        rows = torch.arange(count)[:, None] * tokens + start + torch.arange(tokens + 1)[None]
        return raw[rows][:, :-1], raw[rows][:, 1:]

    # As eos: training = the front of the file, test = its end.
    end = len(raw) - 1 - held * tokens
    x, y = windows(0, train)
    return x, y, *windows(end, held)


def cnn():
    model = Cnn(channels=1, side=28)
    he(model)
    return model


def vit():
    model = Vit(channels=1, side=28)
    fan_in(model, 4)
    for table in (model.token, model.positions):
        nn.init.normal_(table, std=0.02)
    return model


def gpt():
    model = Gpt()
    fan_in(model, 4)
    for table in (model.tokens.weight, model.positions):
        nn.init.normal_(table, std=0.02)
    return model


def layers_of(model):
    for layer in model.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            yield layer, layer.weight[0].numel()


def he(model):
    for layer, inputs in layers_of(model):
        nn.init.normal_(layer.weight, std=math.sqrt(2 / inputs))
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def fan_in(model, depth):
    for layer, inputs in layers_of(model):
        nn.init.normal_(layer.weight, std=math.sqrt(1 / inputs))
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    for block in model.blocks:
        for layer in (block.project, block.down):
            layer.weight.data /= math.sqrt(2 * depth)


def rate(recipe, step, steps, per_epoch):
    """Warm-up from 0, then a half cosine to 0 over the whole horizon, as eos has it."""
    warmup = recipe["warmup"] * per_epoch
    ramp = min(1.0, (step + 1) / warmup) if warmup > 0 else 1.0
    return recipe["rate"] * ramp * 0.5 * (1 + math.cos(math.pi * step / steps))


RECIPES = {
    "cnn": dict(model=cnn, batch=128, epochs=4, rate=0.02, optimiser="sgd", decay=0.0, warmup=0.0, clip=0.0),
    "cnn-adamw": dict(model=cnn, batch=128, epochs=4, rate=1e-3, optimiser="adamw", decay=0.05, warmup=0.2, clip=0.0),
    "vit": dict(model=vit, batch=64, epochs=5, rate=1e-3, optimiser="adamw", decay=0.05, warmup=0.2, clip=1.0),
    "gpt": dict(model=gpt, batch=16, epochs=1, rate=1e-3, optimiser="adamw", decay=0.1, warmup=0.1, clip=1.0, beta2=0.95),
}


def train(name, data, seed, epochs):
    recipe = RECIPES[name]
    torch.manual_seed(seed)
    model = recipe["model"]()
    if recipe["optimiser"] == "sgd":
        optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    else:
        betas = (0.9, recipe.get("beta2", 0.999))
        optimiser = torch.optim.AdamW(model.parameters(), lr=0.1, betas=betas, weight_decay=recipe["decay"])
    x, y, test_x, test_y = data
    batch, seconds = recipe["batch"], 0.0
    per_epoch, step = len(x) // batch, 0
    for epoch in range(1, epochs + 1):
        begin = time.perf_counter()
        order = torch.randperm(len(x))
        for i in range(per_epoch):
            for group in optimiser.param_groups:
                group["lr"] = rate(recipe, step, per_epoch * epochs, per_epoch)
            rows = order[i * batch : (i + 1) * batch]
            logits = model(x[rows])
            loss = functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), y[rows].reshape(-1))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            if recipe["clip"] > 0:
                torch.nn.utils.clip_grad_norm_(model.parameters(), recipe["clip"])
            optimiser.step()
            step += 1
        seconds += time.perf_counter() - begin
        with torch.no_grad():
            logits = torch.cat([model(part) for part in test_x.split(250)])
        held_loss = functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), test_y.reshape(-1)).item()
        right = (logits.argmax(-1) == test_y).float().mean().item()
        print(json.dumps(dict(proxy=name, seed=seed, epoch=epoch, loss=held_loss, accuracy=right, seconds=seconds)), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("proxy", choices=list(RECIPES))
    parser.add_argument("--data", required=True)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    data = text(arguments.data) if arguments.proxy == "gpt" else images(arguments.data, True)
    for seed in arguments.seeds:
        train(arguments.proxy, data, seed, arguments.epochs or RECIPES[arguments.proxy]["epochs"])


if __name__ == "__main__":
    main()
