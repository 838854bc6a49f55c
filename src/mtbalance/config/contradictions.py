"""Checks of an experiment's ``training``, by itself, with its balancers and with its kind of problem."""

from __future__ import annotations

from collections.abc import Iterator

from mtbalance.balancing.contradictions import of_optimizer
from mtbalance.balancing.options import BalancerOptions
from mtbalance.blocks import Fault, changed
from mtbalance.config.kinds import kind
from mtbalance.config.models import ModelSizes
from mtbalance.config.training import TrainingConfig


def of_balancer_with_training(balancer: BalancerOptions, training: TrainingConfig) -> Iterator[Fault]:
    """Options of a balancer that make no sense with an experiment's ``training``."""
    yield from of_optimizer(balancer, training.optimizer.name)
    if balancer.level == "representation" and training.micro_batches > 1:
        yield "level", "representation balances a whole batch at once: micro_batches must be 1"


def of_training(model: ModelSizes, training: TrainingConfig) -> Iterator[Fault]:
    """Options of ``training`` that make no sense, by themselves or for the kind of problem of ``model``."""
    if training.selection != "last" and training.last_epochs > 1:
        yield "training.last_epochs", "acts only with selection: last"
    if training.last_epochs > training.epochs:
        yield "training.last_epochs", f"there are {training.epochs} epochs"
    if not training.schedule.every and changed(training.schedule, "factor"):
        yield "training.schedule.factor", "acts only with every, the number of epochs between drops"
    yield from kind(model.problem).faults(training)
