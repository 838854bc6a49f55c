"""The layers that ranking backbones are made of."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from mtbalance.errors import UserError
from mtbalance.models.ranking._options import RankingSizes


class Perceptron(nn.Sequential):
    """Hidden layers of linear, batch norm, ReLU and dropout; ``width`` is the size of the last one."""

    def __init__(self, inputs: int, hidden: Sequence[int], sizes: RankingSizes) -> None:
        layers: list[nn.Module] = []
        for size in hidden:
            layers += [nn.Linear(inputs, size), *_after(size, sizes)]
            inputs = size
        super().__init__(*layers)
        self.width = inputs


class Experts(nn.Module):
    """E perceptrons of one shape on one input, computed together: [B, inputs] -> [E, width, B].

    Rows are the last dimension, so that gates, softmax and ReLU go through memory in order: that saves 5 % of a step on
    small models, and 9 % at the papers' size in bfloat16. Each expert is initialized and normalized as a perceptron of
    its own would be.
    """

    def __init__(self, count: int, inputs: int, hidden: Sequence[int], sizes: RankingSizes) -> None:
        super().__init__()
        self.count = count
        self.first = nn.Linear(inputs, count * hidden[0])
        self.deeper = nn.ModuleList(GroupedLinear(count, before, size) for before, size in pairwise(hidden))
        self.after = nn.ModuleList(nn.Sequential(*_after(count * size, sizes)) for size in hidden)
        self.width = hidden[-1]

    def forward(self, inputs: Tensor) -> Tensor:
        """[E, width, B]."""
        first, *others = self.after
        values = _normed(first, _by_columns(self.first, inputs))
        for layer, after in zip(cast("list[GroupedLinear]", list(self.deeper)), others, strict=True):
            values = _normed(after, layer.by_columns(self._apart(values)).flatten(0, 1))
        return self._apart(values)

    def _apart(self, values: Tensor) -> Tensor:
        return torch.unflatten(values, 0, (self.count, -1))


def _by_columns(linear: nn.Linear, inputs: Tensor) -> Tensor:
    """The linear layer's outputs [outputs, B] of inputs [B, inputs]."""
    return torch.addmm(linear.bias.unsqueeze(1), linear.weight, inputs.T)


def _normed(after: nn.Module, values: Tensor) -> Tensor:
    """What follows a linear layer, on its outputs [outputs, B]. Batch norm takes rows last in three dimensions."""
    found: Tensor = after(values.unsqueeze(0))
    return found.squeeze(0)


class GroupedLinear(nn.Module):
    """E linear layers, each on its own input: [B, E, inputs] -> [B, E, outputs], or with rows last."""

    def __init__(self, count: int, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = inputs**-0.5  # nn.Linear's own initialization
        self.weight = nn.Parameter(torch.empty(count, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(count * outputs).uniform_(-bound, bound))  # one dimension, as biases have

    def forward(self, inputs: Tensor) -> Tensor:
        """[B, E, outputs]."""
        bias = torch.unflatten(self.bias, 0, (len(self.weight), 1, -1))
        return torch.baddbmm(bias, inputs.transpose(0, 1), self.weight).transpose(0, 1)

    def by_columns(self, inputs: Tensor) -> Tensor:
        """[E, inputs, B] -> [E, outputs, B]."""
        bias = torch.unflatten(self.bias, 0, (len(self.weight), -1, 1))
        return torch.baddbmm(bias, self.weight.transpose(1, 2), inputs)


class Gate(nn.Module):
    """Mixes experts by a softmax of its input: ([B, inputs], [E, width, B]) -> [B, width]."""

    def __init__(self, inputs: int, experts: int) -> None:
        super().__init__()
        self.scores = nn.Linear(inputs, experts)

    def forward(self, inputs: Tensor, experts: Tensor) -> Tensor:
        """[B, width]."""
        shares = torch.softmax(_by_columns(self.scores, inputs), dim=0)
        return (shares.unsqueeze(1) * experts).sum(dim=0).T  # a small bmm is three times slower, mostly backward


class Tower(nn.Module):
    """A task's perceptron and its logit: [B, inputs] -> [B]."""

    def __init__(self, inputs: int, sizes: RankingSizes) -> None:
        super().__init__()
        self.hidden = Perceptron(inputs, sizes.tower, sizes)
        self.logit = nn.Linear(self.hidden.width, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits [B]."""
        logits: Tensor = self.logit(self.hidden(inputs))
        return logits.squeeze(1)


@torch.no_grad()
def start_at(model: nn.Module, outputs: Sequence[float]) -> None:
    """Set the biases of the towers' last layers, so that each task's output begins about ``outputs`` [K].

    Raises ``UserError`` for a backbone that does not have a :class:`Tower` for each task, in their order.
    """
    towers = [part for part in model.modules() if isinstance(part, Tower)]
    if len(towers) != len(outputs):
        raise UserError(
            f"model.head_bias: rate needs a Tower for each of {len(outputs)} tasks, and this backbone has "
            f"{len(towers)}; leave it out"
        )
    for tower, output in zip(towers, outputs, strict=True):
        tower.logit.bias.fill_(output)


def _after(size: int, sizes: RankingSizes) -> list[nn.Module]:
    """The modules after a linear layer of ``size`` outputs."""
    norm = [nn.BatchNorm1d(size)] if sizes.batch_norm else []
    dropout = [nn.Dropout(sizes.dropout)] if sizes.dropout else []
    return [*norm, nn.ReLU(), *dropout]
