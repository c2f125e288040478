"""Batch normalization in the two cases that PyTorch has no layer for.

- The running average has the biased variance of the batch, as in Keras.
- The statistics are those of all processes, on CPUs: SyncBatchNorm runs on GPUs only.
"""

import torch
from torch import distributed, nn


class Normalize(torch.autograd.Function):
    """y = gamma * xhat + beta, with xhat = (x - mean) / sqrt(variance + eps). x is [m, C].

    Mean and variance depend on the rows of all processes, and so does the gradient of x: one all-reduce in the
    forward pass and one in the backward pass. `total` adds up a tensor over the processes.
    """

    @staticmethod
    def forward(ctx, x, gamma, beta, eps, total):
        wide = x.double()  # the difference in the variance loses digits
        rows = torch.full_like(wide[0], len(x))
        m, sums, squares = total(torch.stack([rows, wide.sum(0), wide.square().sum(0)]))
        mean = sums / m
        variance = (squares / m - mean.square()).clamp(min=0)
        rstd = (variance + eps).rsqrt()
        xhat = ((wide - mean) * rstd).to(x.dtype)
        ctx.total = total
        ctx.save_for_backward(xhat, gamma, rstd, m)
        ctx.mark_non_differentiable(mean, variance, m)
        return gamma * xhat + beta, mean, variance, m

    @staticmethod
    def backward(ctx, g, *_):
        xhat, gamma, rstd, m = ctx.saved_tensors
        dbeta, dgamma = g.sum(0), (g * xhat).sum(0)  # of this process: DDP averages them
        all_dbeta, all_dgamma = ctx.total(torch.stack([dbeta, dgamma]))
        dx = gamma * rstd * (g - all_dbeta / m - xhat * all_dgamma / m)
        return dx.to(g.dtype), dgamma, dbeta, None, None


def of_this_process(values):
    return values


def of_all_processes(values):
    distributed.all_reduce(values)
    return values


class BatchNorm1d(nn.BatchNorm1d):
    """BatchNorm1d with `biased` variances in the running average, and `total` statistics in training."""

    def __init__(self, features, biased=False, total=of_this_process, **options):
        super().__init__(features, **options)
        self.biased = biased
        self.total = total

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        columns = x if x.dim() == 2 else x.transpose(1, 2).flatten(0, 1)  # [N, C, L] -> [N * L, C]
        gamma = torch.ones_like(columns[0]) if self.weight is None else self.weight
        beta = torch.zeros_like(columns[0]) if self.bias is None else self.bias
        y, mean, variance, m = Normalize.apply(columns, gamma, beta, self.eps, self.total)
        if self.track_running_stats:
            self.average(mean, variance if self.biased else variance * m / (m - 1))
        return y if x.dim() == 2 else y.unflatten(0, (len(x), -1)).transpose(1, 2)

    @torch.no_grad()
    def average(self, mean, variance):
        """E = (1 - a) * E + a * value, in place: DistributedDataParallel holds these buffers."""
        self.num_batches_tracked.add_(1)
        a = 1 / self.num_batches_tracked.item() if self.momentum is None else self.momentum
        self.running_mean.mul_(1 - a).add_(a * mean)
        self.running_var.mul_(1 - a).add_(a * variance)


def synchronized(module):
    """The module, with layers in place of its batch normalization that use the statistics of all processes."""
    for name, child in list(module.named_children()):
        module.add_module(name, synchronized(child))
    if not isinstance(module, nn.BatchNorm1d):
        return module
    biased = isinstance(module, BatchNorm1d) and module.biased
    if torch.cuda.is_available() and not biased:
        return nn.SyncBatchNorm.convert_sync_batchnorm(module)
    options = {name: getattr(module, name) for name in ("eps", "momentum", "affine", "track_running_stats")}
    layer = BatchNorm1d(module.num_features, biased=biased, total=of_all_processes, **options)
    for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
        setattr(layer, name, getattr(module, name))
    return layer
