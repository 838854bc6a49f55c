"""Small models of K tasks, and levels on them."""

import pytest
import torch
from torch import nn

from building import a_level, an_optimizer
from entries import rule_class
from mtbalance.balancing.levels import Level


class Tiny(nn.Module):
    """A linear trunk (and a parameter that nothing uses) and a linear head a task."""

    def __init__(self, tasks: int) -> None:
        super().__init__()
        self.trunk = nn.Linear(5, 4, dtype=torch.float64)
        self.heads = nn.ModuleList(nn.Linear(4, 1, dtype=torch.float64) for _ in range(tasks))
        self.unused = nn.Parameter(torch.ones(2, dtype=torch.float64))


class Setting:
    """A model, its data, and a level; every setting with one seed begins alike."""

    def __init__(
        self,
        level: str,
        rule: str,
        tasks: int = 2,
        options=None,
        rule_options=None,
        optimizer: str = "adam",
        dtype=torch.float64,
    ) -> None:
        torch.manual_seed(3)
        self.model = Tiny(tasks).to(dtype)
        self.inputs = torch.randn(16, 5, dtype=torch.float64).to(dtype)
        self.targets = torch.randn(tasks, 16, 1, dtype=torch.float64).to(dtype)
        self.optimizer = an_optimizer(self.model.parameters(), optimizer, lr=0.01, weight_decay=1e-3)
        self.level: Level = a_level(
            level,
            rule_class(rule)(tasks, **(rule_options or {})),
            self.optimizer,
            **(options or {}),
        )

    def losses(self) -> list[torch.Tensor]:
        forks = self.level.fork((torch.tanh(self.model.trunk(self.inputs)),))
        heads = zip(self.model.heads, forks, self.targets, strict=True)
        return [((head(fork[0]) - target) ** 2).mean() for head, fork, target in heads]

    def step(self, steps: int = 1):
        for _ in range(steps):
            report = self.level.step(self.losses(), again=self.losses)
        return report

    def parameters(self) -> torch.Tensor:
        return torch.cat([parameter.detach().flatten() for parameter in self.model.parameters()])


@pytest.fixture
def setting():
    return Setting
