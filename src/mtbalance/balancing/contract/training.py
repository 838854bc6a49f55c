"""The check that a rule trains: twenty steps of a small model at each level that it claims, with an interruption."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor, nn

from mtbalance.balancing.balancer import Balancer
from mtbalance.balancing.contract.steps import shown
from mtbalance.balancing.contract.verdicts import Broken, Subject, told
from mtbalance.balancing.levels import StepReport
from mtbalance.balancing.rules import Rule

STEPS, RESUMED = 20, 10
TASKS = (2, 3)


def trainer(rule: Rule, level: str, model: nn.Module) -> Balancer:
    """The rule at a level, around an optimizer of the model. All that this check knows of balancers is here."""
    return Balancer(torch.optim.Adam(model.parameters(), lr=1e-2), rule.tasks, level=level, rule=rule)


class Net(nn.Module):
    """A trunk, and a head for each task; with inputs and targets."""

    def __init__(self, tasks: int) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(5, 4), nn.Tanh())
        self.heads = nn.ModuleList(nn.Linear(4, 1) for _ in range(tasks))
        self.inputs, self.targets = torch.randn(16, 5), torch.randn(tasks, 16, 1)


class Run:
    """One training; two runs for the same number of tasks begin alike."""

    def __init__(self, subject: Subject, level: str, tasks: int) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            self.net = Net(tasks)
        self.name = f"level {level}, {tasks} tasks"
        self.trainer = trainer(subject.new(tasks), level, self.net)

    def losses(self) -> list[Tensor]:
        """The losses, from the representation as each head must see it."""
        forks = self.trainer.fork((self.net.trunk(self.net.inputs),))
        heads = zip(self.net.heads, forks, self.net.targets, strict=True)
        return [((head(fork[0]) - target) ** 2).mean() for head, fork, target in heads]

    def step(self) -> StepReport:
        """Take one step."""
        return self.trainer.step(self.losses(), again=self.losses)

    def numbers(self) -> np.ndarray:
        """All parameters, one after the other."""
        return torch.cat([parameter.detach().flatten() for parameter in self.net.parameters()]).double().numpy()


def training(subject: Subject) -> str:
    """Training at each level that it claims is finite, and goes on bit for bit from a saved state."""
    for level in subject.rule.levels:
        for tasks in TASKS:
            _train(subject, level, tasks)
    return f"{STEPS} steps at {', '.join(subject.rule.levels)}, of {' and '.join(map(str, TASKS))} tasks"


def _train(subject: Subject, level: str, tasks: int) -> None:
    whole, resumed = Run(subject, level, tasks), Run(subject, level, tasks)
    _step(subject, resumed, 1)  # something to be overwritten
    for step in range(1, STEPS + 1):
        if step == RESUMED:
            resumed.net.load_state_dict(copy.deepcopy(whole.net.state_dict()))
            resumed.trainer.load_state_dict(copy.deepcopy(whole.trainer.state_dict()))
        report = _step(subject, whole, step)
        if step >= RESUMED:
            _compare(whole, resumed, report, _step(subject, resumed, step), step)


def _step(subject: Subject, run: Run, step: int) -> StepReport:
    """Take one step. Raises :class:`Broken` if it cannot be taken, or is not finite."""
    try:
        report = run.step()
    except Exception as error:
        raise Broken(f"{run.name}, step {step}: {told(error, subject.file)}") from error
    if not np.isfinite(run.numbers()).all() or not np.isfinite(report.weights).all():
        raise Broken(
            f"{run.name}, step {step}: in went the losses {shown(report.losses)}; out came the weights "
            f"{shown(report.weights)}; the model's parameters are now {shown(run.numbers())}"
        )
    return report


def _compare(whole: Run, resumed: Run, report: StepReport, again: StepReport, step: int) -> None:
    """Raise :class:`Broken` unless two runs are the same, bit for bit."""
    difference = np.abs(whole.numbers() - resumed.numbers()).max()
    if difference > 0:
        raise Broken(
            f"{whole.name}, step {step}: the run that went on had the weights {shown(report.weights)}, the one that "
            f"was resumed before step {RESUMED} had {shown(again.weights)}; their parameters differ by up to "
            f"{difference:.1e}",
            "Let state_dict() give all that a step depends on, and load_state_dict() take it back.",
        )
