"""Checks ONNX files with ONNX's own checker: the format, the operators, and the shapes that it infers.

    python3 check_onnx.py FILE...
"""

import sys

import onnx

for path in sys.argv[1:]:
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    print([node.op_type for node in model.graph.node])
