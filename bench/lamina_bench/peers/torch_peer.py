"""PyTorch, eager, with the fused optimizers."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from lamina._workload import BETA_1, BETA_2, EPSILON

from .base import Peer


class TorchPeer(Peer):
    what = "eager nn.Sequential and fused optimizer, batches as tensors beforehand; inference_mode"

    def __init__(self, workload, threads):
        super().__init__(workload, threads)
        torch.set_num_threads(threads)
        self.softmax = workload.loss == "softmax"
        self.loss = nn.functional.cross_entropy if self.softmax else nn.functional.mse_loss

    def start(self, weights, seed):
        torch.manual_seed(seed)
        layers = []
        for kernel, bias in zip(weights[::2], weights[1::2], strict=True):
            linear = nn.Linear(*kernel.shape)
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(kernel.T))
                linear.bias.copy_(torch.from_numpy(bias))
            layers += [linear, nn.ReLU()]
        self.model = nn.Sequential(*layers[:-1])
        rate = self.workload.learning_rate
        self.optimizer = (
            torch.optim.Adam(self.model.parameters(), rate, (BETA_1, BETA_2), EPSILON, fused=True)
            if self.workload.optimizer == "adam"
            else torch.optim.SGD(self.model.parameters(), rate, fused=True)
        )

    def bind(self, x, y):
        super().bind(x, y)
        self.tensors = _tensors(x, y)
        self.pairs = [(self.tensors[0][rows], self.tensors[1][rows]) for rows in self.batches()]

    def losses(self, batches):
        return [self._step(*_tensors(x, y)).item() for x, y in batches]

    def run(self, epochs, shuffle):
        for _ in range(epochs):
            if shuffle:
                x, y = self.tensors
                order = torch.randperm(len(x))
                for rows in self.batches():
                    self._step(x[order[rows]], y[order[rows]])
            else:
                for pair in self.pairs:
                    self._step(*pair)

    def _step(self, x, y):
        self.optimizer.zero_grad()
        loss = self.loss(self.model(x), y)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def predict(self, x):
        with torch.inference_mode():
            y = self.model(torch.from_numpy(x))
            return (y.softmax(1) if self.softmax else y).numpy()


def _tensors(x, y):
    return torch.from_numpy(np.ascontiguousarray(x)), torch.from_numpy(np.ascontiguousarray(y))
