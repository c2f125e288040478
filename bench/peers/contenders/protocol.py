"""The contender's side of the protocol, like serve.js, and the file format of tensor-file.js."""
import json
import sys
import time

import torch

KINDS = {'float32': torch.float32, 'uint8': torch.uint8}


def read_tensors(inputs):
    with open(inputs['file'], 'rb') as file:
        content = bytearray(file.read())

    def tensor(entry):
        size = 1
        for extent in entry['shape']:
            size *= extent
        kind = KINDS[entry['dtype']]
        flat = torch.frombuffer(content, dtype=kind, count=size, offset=entry['offset'])
        return flat.reshape(entry['shape']).clone()

    return {entry['name']: tensor(entry) for entry in inputs['entries']}


def write_tensors(path, tensors):
    entries, offset = [], 0
    with open(path, 'wb') as file:
        for name, tensor in tensors.items():
            content = tensor.detach().contiguous().numpy().tobytes()
            file.write(content)
            entries.append({'name': name, 'dtype': 'float32', 'shape': list(tensor.shape), 'offset': offset})
            offset += len(content)
    return {'file': path, 'entries': entries}


def grouped(inputs):
    """Groups the driver's inputs by the first part of their names: `x:0` → groups['x']['0']."""
    groups = {}
    for name, tensor in inputs.items():
        group, key = name.split(':')
        groups.setdefault(group, {})[key] = tensor
    return groups


class Server:
    """Answers requests until the driver ends and closes stdin."""

    def __init__(self, describe, workloads):
        self.describe_contender = describe
        self.workloads = workloads
        self.task = None

    def describe(self):
        return self.describe_contender()

    def prepare(self, workload, inputs):
        self.task = self.workloads[workload['kind']](workload, read_tensors(inputs))
        return {}

    def verify(self, output):
        losses, tensors = self.task.verify()
        return {'losses': losses, 'outputs': write_tensors(output, tensors)}

    def time(self, iterations):
        iterate = self.task.iterate
        start = time.perf_counter()
        for _ in range(iterations):
            iterate()
        return {'seconds': time.perf_counter() - start}

    def epoch(self):
        return self.task.epoch()

    def serve(self):
        answers, sys.stdout = sys.stdout, sys.stderr  # stdout carries only the protocol
        for line in sys.stdin:
            try:
                request = json.loads(line)
                reply = getattr(self, request.pop('op'))(**request)
            except Exception as error:  # the driver prints the error
                reply = {'error': f'{type(error).__name__}: {error}'}
            print(json.dumps(reply), file=answers, flush=True)
