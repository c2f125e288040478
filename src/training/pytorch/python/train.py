"""Trains the network, from where gammabeta has exported it, in one process or in several.

    python train.py --data MNIST
    torchrun --nproc_per_node=2 train.py --data MNIST --sync-bn

README.md describes the files, and what more than one process changes.
"""

import argparse
import os
from pathlib import Path

import torch
from torch import distributed, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

import safetensors_file
import settings
from batchnorm import synchronized
from data import batches, read_training_data, scaled
from model import build

HERE = Path(__file__).parent


def join_processes():
    """Join the processes that torchrun has started, if it has. Return the number of this one, and its device."""
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
        torch.cuda.set_device(device)
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return int(os.environ.get("RANK", 0)), device


def load_model(device, sync_bn):
    """The network with its weights and running statistics."""
    model = build()
    model.load_state_dict(safetensors_file.load(HERE / "weights.safetensors"))
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name not in settings.FROZEN_PARAMETERS)
    return (synchronized(model) if sync_bn else model).to(device)


def load_optimizer(model):
    """The optimizer with its options and its state."""
    parameters = dict(model.named_parameters())
    groups = [{**group, "params": [parameters[name] for name in group["params"]]} for group in settings.GROUPS]
    optimizer = getattr(torch.optim, settings.OPTIMIZER)(groups)
    names = [name for group in settings.GROUPS for name in group["params"]]
    state = optimizer.state_dict()
    for key, value in safetensors_file.load(HERE / "optimizer.safetensors").items():
        slot, name = key.split(".", 1)
        state["state"].setdefault(names.index(name), {})[slot] = value
    optimizer.load_state_dict(state)
    return optimizer


def start_training(model):
    """Set the modes as fit does: some layers stay in evaluation."""
    model.train()
    for name in settings.LAYERS_IN_EVALUATION:
        model.get_submodule(name).eval()


def least_rows(model):
    """The least number of rows of a batch. Batch normalization needs two in each process."""
    has_norm = any(isinstance(module, (nn.BatchNorm1d, nn.SyncBatchNorm)) for module in model.modules())
    return (2 if has_norm else 1) * processes()


@torch.no_grad()
def accuracy(model, images, labels):
    """The accuracy in evaluation, with the running statistics."""
    model.eval()
    found = [forward(model, rows).argmax(1) for rows in images.split(1000)]
    return (torch.cat(found) == labels).double().mean().item()


def forward(network, images):
    """The outputs for images that are bytes."""
    parameter = next(network.parameters())
    return network(scaled(images).to(parameter.dtype))


def train_epoch(network, optimizer, images, labels, parts):
    """Train on this process's part of each batch: `parts` has the part, and the size of the batch. Return the loss."""
    sums = torch.zeros(2, dtype=torch.float64, device=images.device)  # of the losses, and of the rows
    for rows, size in parts:
        loss_sum = F.cross_entropy(forward(network, images[rows]), labels[rows], reduction="sum")
        optimizer.zero_grad()
        # DDP averages the gradients of the processes: this makes the average that of the mean loss of the batch.
        (loss_sum * processes() / size).backward()
        optimizer.step()
        sums += torch.stack([loss_sum.detach().double(), sums.new_tensor(len(rows))])
    if processes() > 1:
        distributed.all_reduce(sums)
    return (sums[0] / sums[1]).item()


def processes():
    return distributed.get_world_size() if distributed.is_initialized() else 1


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Trains the network in one process or in several.")
    parser.add_argument("--data", required=True, help="folder with the files of MNIST")
    parser.add_argument("--epochs", type=int, default=10, help="number of epochs (default 10)")
    parser.add_argument("--steps", type=int, help="number of steps in each epoch (default: all)")
    parser.add_argument("--sync-bn", action="store_true", help="normalize with the statistics of all processes")
    parser.add_argument("--save", default="trained.safetensors", help="file for the trained weights")
    options = parser.parse_args(arguments)

    rank, device = join_processes()
    model = load_model(device, options.sync_bn and processes() > 1)
    optimizer = load_optimizer(model)
    network = DistributedDataParallel(model) if processes() > 1 else model
    images, labels = (each.to(device) for each in read_training_data(options.data))
    n = settings.VALIDATION  # the first n are for validation
    validation, training = (images[:n], labels[:n]), (images[n:], labels[n:])

    for epoch in range(settings.EPOCH, settings.EPOCH + options.epochs):
        start_training(model)
        whole = batches(len(images) - n, epoch, least_rows(model))[: options.steps]
        parts = [(rows.tensor_split(processes())[rank], len(rows)) for rows in whole]
        line = f"epoch {epoch + 1}  loss {train_epoch(network, optimizer, *training, parts):.4f}"
        if rank == 0:
            print(f"{line}  validation accuracy {accuracy(model, *validation):.4f}" if n > 0 else line, flush=True)

    if rank == 0:
        safetensors_file.save(options.save, model.state_dict())
        print(f"Saved: {options.save}")
    if processes() > 1:
        distributed.destroy_process_group()


if __name__ == "__main__":
    main()
