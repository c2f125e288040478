"""Writes weights.json: state dicts of PyTorch as safetensors, and the outputs of their models.

    apt-get install python3-torch          # Debian 12: PyTorch 1.13
    /usr/bin/python3 test/goldens/make_weights.py

Each case has a file in base64, an input x and the output y in evaluation mode. The model is trained for
three steps, and then converted to the element type of the case; y is computed in float64 from the
converted values.
"""

import base64
import json
import struct
from pathlib import Path

import torch
from torch import nn

DTYPES = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
          torch.int64: "I64"}


def safetensors(state):
    """The bytes of a file: https://github.com/huggingface/safetensors#format"""
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, value in state.items():
        begin = len(data)
        bits = value.contiguous().flatten()
        if bits.dtype == torch.bfloat16:  # NumPy has none: the same bits as integers
            bits = bits.view(torch.int16)
        data += bits.numpy().tobytes()
        header[name] = {"dtype": DTYPES[value.dtype], "shape": list(value.shape),
                        "data_offsets": [begin, len(data)]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def plain(x):
    return {"shape": list(x.shape), "data": x.flatten().tolist()}


def make_case(name, dtype, sizes):
    features, hidden, classes = sizes
    model = nn.Sequential(nn.Linear(features, hidden), nn.BatchNorm1d(hidden), nn.ReLU(),
                          nn.Linear(hidden, classes))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        model(torch.randn(8, features)).pow(2).sum().backward()
        optimizer.step()
    model = model.to(dtype)  # leaves num_batches_tracked as it is: int64
    file = safetensors(model.state_dict())
    x = torch.round(torch.randn(5, features, dtype=torch.float64) * 256) / 256
    with torch.no_grad():
        y = model.double().eval()(x)
    return {"name": name, "sizes": sizes, "file": base64.b64encode(file).decode(), "x": plain(x), "y": plain(y)}


if __name__ == "__main__":
    torch.manual_seed(16)
    torch.set_num_threads(1)
    cases = [
        make_case("F32", torch.float32, [3, 4, 2]),
        make_case("F16", torch.float16, [3, 4, 2]),
        make_case("BF16", torch.bfloat16, [3, 4, 2]),
        make_case("F64", torch.float64, [3, 4, 2]),
        make_case("F32, square", torch.float32, [3, 3, 3]),
    ]
    lines = ",\n".join(json.dumps(case, separators=(",", ":"), allow_nan=False) for case in cases)
    text = f'{{\n"madeBy": "make_weights.py",\n"torch": "{torch.__version__}",\n"cases": [\n{lines}\n]\n}}\n'
    Path(__file__).with_name("weights.json").write_text(text, encoding="utf-8")
