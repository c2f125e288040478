"""The experiment as a PyTorch user would write it: data in memory, and slices of a new permutation per epoch."""
import time

import torch
import torch.nn.functional as F

from protocol import grouped
from pytorch_network import load_state, network_of

EVALUATION_BATCH = 256  # as in gammabeta's `evaluate`


class Experiment:
    def __init__(self, workload, inputs):
        torch.manual_seed(workload['seed'])  # orders the images; the weights are the driver's
        groups = grouped(inputs)
        self.model = network_of(workload['layers'])
        load_state(self.model, groups['state'])
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=workload['lr'])
        self.batch_size = workload['batchSize']
        self.x = {part: x.float() / 255 for part, x in groups['x'].items()}
        self.labels = {part: labels.long() for part, labels in groups['labels'].items()}

    def epoch(self):
        start = time.perf_counter()
        loss, accuracy = self.train()
        validation_loss, validation_accuracy = self.validate()
        return {
            'loss': loss,
            'accuracy': accuracy,
            'valLoss': validation_loss,
            'valAccuracy': validation_accuracy,
            'seconds': time.perf_counter() - start,
        }

    def train(self):
        self.model.train()
        x, labels = self.x['training'], self.labels['training']
        loss_sum, right, examples = 0.0, 0, 0
        for rows in torch.randperm(len(x)).split(self.batch_size):
            if len(rows) == 1:
                continue  # batch normalization needs two rows
            batch, target = x[rows], labels[rows]
            output = self.model(batch)
            loss = F.cross_entropy(output, target)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            loss_sum += loss.item() * len(rows)
            right += (output.argmax(1) == target).sum().item()
            examples += len(rows)
        return loss_sum / examples, right / examples

    @torch.no_grad()
    def validate(self):
        self.model.eval()
        x, labels = self.x['validation'], self.labels['validation']
        loss_sum, right = 0.0, 0
        for batch, target in zip(x.split(EVALUATION_BATCH), labels.split(EVALUATION_BATCH)):
            output = self.model(batch)
            loss_sum += F.cross_entropy(output, target, reduction='sum').item()
            right += (output.argmax(1) == target).sum().item()
        return loss_sum / len(x), right / len(x)
