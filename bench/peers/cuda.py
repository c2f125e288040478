#!/usr/bin/env python3
"""
PyTorch on CUDA: the products and training steps that `npm run bench:gpu` times, as the limit of the same GPU.

    python3 bench/peers/cuda.py --json cuda.json

Needs PyTorch with CUDA and nothing else. Computes in float32: TF32 is off. Each time is the median of several blocks, and a
block ends with torch.cuda.synchronize(). `--device cpu` is for a look at the script itself.
"""
import argparse
import json
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn

torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False

BATCHES = 4
CLASSES = 10
FEATURES = 784
WIDTH = 2048


def leaky():
    return nn.LeakyReLU(0.3)


def norm(features):
    return nn.BatchNorm1d(features, eps=1e-3, momentum=0.01)


NETS = {
    'plain': lambda: nn.Sequential(
        nn.Linear(784, 300), leaky(), nn.Linear(300, 100), leaky(), nn.Linear(100, 10)
    ),
    'bn': lambda: nn.Sequential(
        norm(784), nn.Linear(784, 300), nn.ReLU(),
        norm(300), nn.Linear(300, 100), nn.ReLU(),
        norm(100), nn.Linear(100, 10),
    ),
    'plain, 2048 wide': lambda: nn.Sequential(
        nn.Linear(784, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 10)
    ),
    'bn, 2048 wide': lambda: nn.Sequential(
        norm(784), nn.Linear(784, WIDTH), nn.ReLU(),
        norm(WIDTH), nn.Linear(WIDTH, WIDTH), nn.ReLU(),
        norm(WIDTH), nn.Linear(WIDTH, 10),
    ),
}


def synchronize(device):
    if device == 'cuda':
        torch.cuda.synchronize()


def sampled(work, device, target=0.1, rounds=5):
    """Seconds of one repetition: the median, the least and the most over blocks of about `target` seconds."""

    def block(repetitions):
        synchronize(device)
        begin = time.perf_counter()
        for _ in range(repetitions):
            work()
        synchronize(device)
        return time.perf_counter() - begin

    block(3)
    repetitions, seconds = 1, block(1)
    while seconds < target and repetitions < 4096:
        repetitions = min(4096, max(2 * repetitions, int(1.2 * repetitions * target / seconds) + 1))
        seconds = block(repetitions)
    times = [block(repetitions) / repetitions for _ in range(rounds)]
    return {
        'seconds': statistics.median(times),
        'least': min(times),
        'most': max(times),
        'samples': rounds,
        'repetitions': repetitions,
    }


def products(device, sides):
    for n in sides:
        a, b = torch.randn(n, n, device=device), torch.randn(n, n, device=device)
        for kernel, work in {
            'matmul': lambda: a @ b,
            'matmulTransposedA': lambda: a.t() @ b,
            'matmulTransposedB': lambda: a @ b.t(),
        }.items():
            timing = sampled(work, device)
            yield {
                'kernel': kernel,
                'size': f'{n}×{n}',
                **timing,
                'teraflops': 2 * n**3 / timing['seconds'] / 1e12,
            }


def step(net, batch, device):
    torch.manual_seed(1)
    model = NETS[net]().to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    batches = [
        (torch.rand(batch, FEATURES, device=device), torch.randint(CLASSES, (batch,), device=device))
        for _ in range(BATCHES)
    ]
    steps = 0

    def work():
        nonlocal steps
        x, labels = batches[steps % BATCHES]
        steps += 1
        loss = F.cross_entropy(model(x), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return {'net': net, 'batch': batch, **sampled(work, device)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--json', help='also write the results to a file')
    parser.add_argument('--quick', action='store_true', help='small sizes, for a look')
    parser.add_argument('--device', default='cuda', choices=['cuda', 'cpu'])
    options = parser.parse_args()
    if options.device == 'cuda' and not torch.cuda.is_available():
        parser.error('PyTorch finds no CUDA device. Hint: --device cpu shows what the script does')
    report = {
        'benchmark': 'gammabeta-gpu-pytorch',
        'date': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime()),
        'quick': options.quick,
        'torch': torch.__version__,
        'cuda': torch.version.cuda,
        'device': torch.cuda.get_device_name() if options.device == 'cuda' else 'cpu',
        'tf32': torch.backends.cuda.matmul.allow_tf32,
        'products': [],
        'steps': [],
    }

    def save():
        if options.json:
            with open(options.json, 'w', encoding='utf-8') as file:
                json.dump(report, file, indent=2, ensure_ascii=False)

    print(f"PyTorch {report['torch']}, {report['device']}")
    for each in products(options.device, [128] if options.quick else [1024, 4096]):
        report['products'].append(each)
        print(f"{each['kernel']} {each['size']}: {1e3 * each['seconds']:.4g} ms, {each['teraflops']:.3g} TFLOP/s")
        save()
    for net in ['plain', 'bn'] if options.quick else NETS:
        wide = net.endswith('wide')
        for batch in [32] if options.quick else [256, 4096] if wide else [32, 128, 256, 512, 1024, 4096]:
            each = step(net, batch, options.device)
            report['steps'].append(each)
            print(f"step {net} {batch}: {1e3 * each['seconds']:.4g} ms")
            save()


if __name__ == '__main__':
    main()
