"""Runs the train.py of several exported folders in one process, since importing PyTorch takes seconds.

    python3 run_exports.py '[{"directory": DIR, "arguments": [...]}, ...]'
"""

import importlib
import json
import sys

import torch
from torch import distributed

torch.set_num_threads(1)
MODULES = ["batchnorm", "data", "model", "safetensors_file", "settings", "train"]

# Several processes meet once, for all runs.
join = distributed.init_process_group
distributed.init_process_group = lambda backend: distributed.is_initialized() or join(backend)
distributed.destroy_process_group = lambda: None

for run in json.loads(sys.argv[1]):
    sys.path.insert(0, run["directory"])
    importlib.import_module("train").main(run["arguments"])
    sys.path.pop(0)
    for name in MODULES:
        sys.modules.pop(name, None)
