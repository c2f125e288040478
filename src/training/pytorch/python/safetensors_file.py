"""Reads and writes safetensors files: https://github.com/huggingface/safetensors#format

A file is the size of its header in 8 bytes, the header, which is JSON, and the values of all tensors.
"""

import ctypes
import json
import os
import struct

import torch

DTYPES = {"F64": torch.float64, "F32": torch.float32, "I64": torch.int64}
NAMES = {dtype: name for name, dtype in DTYPES.items()}


def load(path):
    """Return the tensors of a file by name."""
    with open(path, "rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(size)), bytearray(file.read())
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = torch.frombuffer(data[begin:end], dtype=DTYPES[entry["dtype"]])
        tensors[name] = values.reshape(entry["shape"])
    return tensors


def save(path, tensors):
    """Write tensors by name. The file is replaced as a whole: it is never incomplete."""
    header, parts, end = {"__metadata__": {"format": "pt", "gammabeta.layout": "pytorch"}}, [], 0
    for name, tensor in tensors.items():
        values = tensor.detach().cpu().contiguous()
        begin, end = end, end + values.numel() * values.element_size()
        parts.append(ctypes.string_at(values.data_ptr(), end - begin))
        header[name] = {
            "dtype": NAMES[values.dtype],
            "shape": list(values.shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    temporary = f"{path}.{os.getpid()}.tmp"
    with open(temporary, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))
    os.replace(temporary, path)
