"""The images and the order in which they are used: the same as in gammabeta."""

import gzip
import struct
from pathlib import Path

import torch

import settings

MASK = 0xFFFFFFFF


def read_idx(folder, name):
    """Read a file of MNIST, gzipped or not: https://yann.lecun.com/exdb/mnist/, "the IDX file format"."""
    spellings = [name, f"{name}.gz", name.replace("-idx", ".idx"), f"{name.replace('-idx', '.idx')}.gz"]
    found = [Path(folder) / spelling for spelling in spellings if (Path(folder) / spelling).exists()]
    if not found:
        raise SystemExit(f"{folder} has no file {name}. Hint: name the folder of MNIST with --data")
    data = found[0].read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    if data[:3] != b"\x00\x00\x08":
        raise SystemExit(f"{found[0]} is not an IDX file of bytes. Hint: download it again")
    rank = data[3]
    shape = struct.unpack_from(f">{rank}I", data, 4)
    return torch.frombuffer(bytearray(data[4 + 4 * rank :]), dtype=torch.uint8).reshape(shape)


def read_training_data(folder):
    """The images, as bytes [n, pixels], and their labels [n]."""
    images = read_idx(folder, "train-images-idx3-ubyte").flatten(1)
    return images, read_idx(folder, "train-labels-idx1-ubyte").long()


def scaled(images):
    """Images as float32 [n, *SHAPE]. Computed in float64, so that they are rounded once."""
    mean, deviation = (images.new_tensor(values, dtype=torch.float64) for values in (settings.MEAN, settings.DEVIATION))
    x = (images.double() / settings.DIVISOR - mean) / deviation
    return x.float().reshape(-1, *settings.SHAPE)


def mix32(h):
    """The finalizer of MurmurHash3, a bijection of the 32-bit integers."""
    h = ((h ^ (h >> 16)) * 0x85EBCA6B) & MASK
    h = ((h ^ (h >> 13)) * 0xC2B2AE35) & MASK
    return h ^ (h >> 16)


def permutation(n, seed, epoch):
    """The order of n examples in one epoch: Fisher-Yates, with hashes of (seed, epoch, i) as random numbers."""
    key0, key1 = 0x243F6A88, 0x85A308D3
    for word in (seed & MASK, seed >> 32, epoch):
        key0, key1 = mix32(key0 ^ word), mix32(key1 ^ word)
    order = list(range(n))
    for i in range(n - 1, 0, -1):
        h = mix32(mix32(i ^ key0) ^ key1)
        j = int(h * (i + 1) / 2**32)
        order[i], order[j] = order[j], order[i]
    return torch.tensor(order)


def batches(n, epoch, least):
    """The rows of each batch of an epoch. A batch of fewer than `least` rows is left out."""
    order = permutation(n, settings.SEED, epoch) if settings.SHUFFLE else torch.arange(n)
    if settings.DROP_LAST:
        least = settings.BATCH_SIZE
    return [rows for rows in order.split(settings.BATCH_SIZE) if len(rows) >= least]
