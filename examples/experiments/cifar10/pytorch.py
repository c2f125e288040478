"""The experiment of `examples/experiments/cifar10-batchnorm.ts` in PyTorch, for comparison.

    apt-get install python3-torch          # Debian 12: PyTorch 1.13
    /usr/bin/python3 examples/experiments/cifar10/pytorch.py --data DIR --seed 1,2,3 --json FILE

`compare.ts` runs both. The JSON file has the format of gammabeta's: histories with fit's columns; the `val...` columns
are measured on the test images. Layers, initialization, optimizer and cross-entropy are PyTorch's, with its defaults;
the data is in memory, shuffled by `randperm`. The seeds give other random numbers than in gammabeta, so only means can
agree. With `--start`, a folder written by `start.ts`, the runs have gammabeta's weights and orders, and agree one by one.
"""

import argparse
import gzip
import json
import platform
import sys
from pathlib import Path
from time import perf_counter

import numpy
import torch
from torch import nn
from torch.nn import functional as F

BATCH_SIZE = 64
LEARNING_RATE = 0.001

NETS = {
    "plain": lambda: nn.Sequential(nn.Linear(3072, 512), nn.ReLU(), nn.Linear(512, 10)),
    "bn": lambda: nn.Sequential(
        nn.Linear(3072, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, 10)
    ),
}


def read(folder, name):
    """Read a file, gzipped or not: pixels from -1 to 1, and labels."""
    plain, packed = folder / f"{name}.bin", folder / f"{name}.bin.gz"
    data = plain.read_bytes() if plain.exists() else gzip.decompress(packed.read_bytes())
    records = torch.from_numpy(numpy.frombuffer(data, dtype=numpy.uint8).reshape(-1, 3073).copy())
    return (records[:, 1:].float() / 255 - 0.5) / 0.5, records[:, 0].long()


def read_training(folder):
    """Read all five training files, or those of a subset."""
    names = [f"data_batch_{i}" for i in range(1, 6)]
    there = [name for name in names if list(folder.glob(f"{name}.bin*"))]
    parts = [read(folder, name) for name in there]
    return tuple(torch.cat(tensors) for tensors in zip(*parts))


def copy_weights(model, weights):
    """Copy the weights: Dense has shape [in, out], PyTorch's Linear [out, in]."""
    sizes = [parameter.numel() for parameter in model.parameters()]
    with torch.no_grad():
        for parameter, numbers in zip(model.parameters(), weights.split(sizes)):
            parameter.copy_(numbers.view(parameter.shape[::-1]).T if parameter.dim() == 2 else numbers)


def read_numbers(file, dtype):
    return torch.from_numpy(numpy.fromfile(file, dtype=dtype))


def train(model, optimizer, order, x, labels):
    """Train for one epoch. Loss and accuracy are those of the training batches, as in fit."""
    model.train()
    loss_sum, correct, seen = 0.0, 0, 0
    for rows in order.split(BATCH_SIZE):
        if len(rows) == 1:  # batch normalization needs two images
            continue
        output = model(x[rows])
        loss = F.cross_entropy(output, labels[rows])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(rows)
        correct += (output.argmax(1) == labels[rows]).sum().item()
        seen += len(rows)
    return loss_sum / seen, correct / seen


def evaluate(model, x, labels):
    """Loss and accuracy in evaluation mode, with the running statistics."""
    model.eval()
    with torch.no_grad():
        output = model(x)
        correct = (output.argmax(1) == labels).sum().item()
        return F.cross_entropy(output, labels).item(), correct / len(x)


def run(net, seed, epochs, start, training, test):
    torch.manual_seed(seed)
    model = NETS[net]()
    images = len(training[1])
    if start is None:
        orders = (torch.randperm(images) for _ in range(epochs))
    else:
        copy_weights(model, read_numbers(start / f"{net}-{seed}.weights", "<f4"))
        orders = iter(read_numbers(start / f"{net}-{seed}.orders", "<i4").long().view(epochs, images))
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    columns = ["loss", "accuracy", "valLoss", "valAccuracy", "seconds"]
    history = {column: [] for column in columns}
    for epoch in range(1, epochs + 1):
        began = perf_counter()
        values = [*train(model, optimizer, next(orders), *training), *evaluate(model, *test)]
        values.append(round(perf_counter() - began, 3))
        for column, value in zip(columns, values):
            history[column].append(value)
        line = f"{net} (seed {seed})  epoch {epoch}/{epochs}  test accuracy {values[3]:.4f}  {values[4]:.1f} s"
        print(line, flush=True)
    return {"net": net, "seed": seed, "history": history}


def cpu():
    """The name of the processor, from Linux if possible."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the binary files of CIFAR-10")
    parser.add_argument("--seed", default="1", help="one seed or several, as in 1,2,3")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--start", type=Path, help="folder with weights and orders, written by start.ts")
    parser.add_argument("--json", type=Path, required=True, help="output file")
    options = parser.parse_args()

    torch.set_num_threads(1)  # so that results do not depend on the number of cores
    training, test = read_training(options.data), read(options.data, "test_batch")
    seeds = [int(seed) for seed in options.seed.split(",")]
    results = {
        "experiment": "cifar10-batchnorm",
        "data": "CIFAR-10",
        "from": "folder",
        "trainingImages": len(training[1]),
        "testImages": len(test[1]),
        "epochs": options.epochs,
        "batchSize": BATCH_SIZE,
        "learningRate": LEARNING_RATE,
        "machine": {"cpu": cpu(), "device": "cpu, one thread"},
        "versions": {"torch": torch.__version__, "python": platform.python_version()},
        "runs": [
            run(net, seed, options.epochs, options.start, training, test) for seed in seeds for net in NETS
        ],
    }
    options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)  # the parent says what to do
