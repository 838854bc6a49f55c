"""A small model with a trunk and a head a task, and balancers around it, for tests of whole training loops."""

import numpy as np
import torch
from torch import nn

from entries import rule_class
from mtbalance import Balancer
from mtbalance.balancing.rules import RowRule
from mtbalance.registry import available

LEVELS = ("loss", "representation", "gradient", "update")
PAIRS = [
    (level, rule)
    for level in LEVELS
    for rule in available("mtbalance.balancing.rules")
    if level in rule_class(rule).levels
]


def is_row_rule(rule: str) -> bool:
    return issubclass(rule_class(rule), RowRule)


class Net(nn.Module):
    """A trunk of two layers and a linear head a task."""

    def __init__(self, tasks: int = 2, dtype=torch.float64) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.trunk = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 5), nn.Tanh()).to(dtype)
        self.heads = nn.ModuleList(nn.Linear(5, 1).to(dtype) for _ in range(tasks))

    def losses(self, balancer, rows: slice = slice(None), share: float = 1.0) -> list[torch.Tensor]:
        """The tasks' mean losses over some rows of :func:`data`, times ``share``."""
        weight = self.heads[0].weight
        inputs, targets = (part[rows].to(weight.dtype).to(weight.device) for part in data(len(self.heads)))
        forks = balancer.fork(self.trunk(inputs))
        outputs = [head(fork) for head, fork in zip(self.heads, forks, strict=True)]
        return [share * ((o[:, 0] - t) ** 2).mean() for o, t in zip(outputs, targets.T, strict=True)]

    def vector(self) -> torch.Tensor:
        return torch.cat([parameter.detach().flatten() for parameter in self.parameters()])


def data(tasks: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(11)
    inputs = torch.randn(16, 6, generator=generator, dtype=torch.float64)
    mixing = torch.randn(6, tasks, generator=generator, dtype=torch.float64)
    return inputs, (inputs @ mixing).tanh() + 2 + torch.randn(16, tasks, generator=generator, dtype=torch.float64) / 10


def adamw(net: nn.Module, **options) -> torch.optim.Optimizer:
    return torch.optim.AdamW(net.parameters(), **{"lr": 1e-2, **options})


def balanced(net: nn.Module, level: str, rule: str, optimizer=None, **options) -> Balancer:
    return Balancer(optimizer or adamw(net), len(net.heads), level=level, rule=rule, **options)


def relative(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).norm() / other.norm())


def weights_close(one, other, tolerance: float = 1e-6) -> bool:
    return np.allclose(one, other, rtol=tolerance, atol=tolerance)
