"""PyTorch on one thread. The products of OpenBLAS may use more: see OPENBLAS_NUM_THREADS."""
import os
import re

import torch
import torch.nn.functional as F

from protocol import Server, grouped
from pytorch_experiment import Experiment
from pytorch_network import load_state, network_of, state_of

torch.set_num_threads(1)
torch.set_num_interop_threads(1)

VERIFIED_STEPS = 8


class Step:
    def __init__(self, workload, inputs):
        groups = grouped(inputs)
        self.state_names = list(groups['state'])
        self.layers = workload['layers']
        self.model = network_of(self.layers)
        load_state(self.model, groups['state'])
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=workload['lr'])
        self.batches = [(x, groups['labels'][k].long()) for k, x in groups['x'].items()]
        self.steps = 0

    def iterate(self):
        x, labels = self.batches[self.steps % len(self.batches)]
        self.steps += 1
        loss = F.cross_entropy(self.model(x), labels)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss

    def verify(self):
        losses = [self.iterate().item() for _ in range(VERIFIED_STEPS)]
        rows = len(self.batches[0][0])
        return losses, state_of(self.model, self.layers, self.state_names, rows, VERIFIED_STEPS)


class Normalization:
    def __init__(self, workload, inputs):
        self.norm = self.norm_of(workload)
        load_state(self.norm, {'weight': inputs['gamma'], 'bias': inputs['beta']})
        self.x = inputs['x'].requires_grad_()
        self.g = inputs['g']
        self.leaves = (self.x, self.norm.weight, self.norm.bias)

    def iterate(self):
        return torch.autograd.grad(self.norm(self.x), self.leaves, self.g)

    def verify(self):
        return None, dict(zip(('dx', 'dgamma', 'dbeta'), self.iterate()))


class BatchNorm(Normalization):
    def norm_of(self, workload):
        return torch.nn.BatchNorm1d(workload['features'], eps=workload['eps'], momentum=workload['momentum'])


class LayerNorm(Normalization):
    def norm_of(self, workload):
        return torch.nn.LayerNorm(workload['features'], eps=workload['eps'])


class GroupNorm(Normalization):
    def norm_of(self, workload):
        return torch.nn.GroupNorm(workload['groups'], workload['features'], eps=workload['eps'])


class Matmul:
    def __init__(self, _workload, inputs):
        self.a, self.b = inputs['a'], inputs['b']

    def iterate(self):
        return self.a @ self.b

    def verify(self):
        return None, {'c': self.iterate()}


def blas():
    """The BLAS library that is loaded. PyTorch on Debian uses the one that is selected in the system."""
    torch.ones(2, 2) @ torch.ones(2, 2)
    with open('/proc/self/maps') as maps:
        found = re.search(r'/(\S*/)?lib(openblas|mkl\w*|blis|atlas|blas)[^/\s]*', maps.read())
    return found.group(2) if found else None


def describe():
    try:
        library = blas()
    except OSError:  # only Linux lists the loaded libraries
        library = None
    slow = 'pytorch: matrix products are slow, because the reference BLAS is loaded. '
    return {
        'version': torch.__version__,
        'backend': f'CPU, BLAS: {library or "unknown"}',
        'threads': int(os.environ.get('OPENBLAS_NUM_THREADS', '1')) if library == 'openblas' else 1,
        'warning': slow + 'Hint: apt-get install libopenblas0-pthread' if library == 'blas' else None,
    }


WORKLOADS = {
    'step': Step,
    'batchnorm': BatchNorm,
    'layernorm': LayerNorm,
    'groupnorm': GroupNorm,
    'matmul': Matmul,
    'experiment': Experiment,
}

Server(describe, WORKLOADS).serve()
