"""Checks ONNX files with ONNX's own checker: the format, the operators, and the shapes that it infers.

    python3 check_onnx.py FILE...

Prints the operators of each file. A file of a newer version than the installed ONNX knows is not checked.
"""

import sys

import onnx

for path in sys.argv[1:]:
    model = onnx.load(path)
    opset = model.opset_import[0].version
    if model.ir_version > onnx.IR_VERSION or opset > onnx.defs.onnx_opset_version():
        print(f"opset {opset}: not checked, ONNX {onnx.__version__} is older")
        continue
    onnx.checker.check_model(model, full_check=True)
    print(f"opset {opset}: {' '.join(node.op_type for node in model.graph.node)}")
