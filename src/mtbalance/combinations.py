"""Combinations of options that make no sense: refused before anything is trained, with the key and the reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mtbalance.registry import load
from mtbalance.rules import RowRule

Fault = tuple[str, str]
"""The path of a key in the block at fault, and what is wrong with its value."""


class Senseless(ValueError):
    """Options that contradict each other, or that nothing would act on."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{key}: {reason}" for key, reason in faults))
        self.faults = list(faults)


def refuse(faults: Iterable[Fault]) -> None:
    """Raise :class:`Senseless` if there are any."""
    found = list(faults)
    if found:
        raise Senseless(found)


def of_balancer(config: Any) -> Iterator[Fault]:
    """Faults of a balancer's checked block, whatever the optimiser."""
    if issubclass(load("mtbalance.rules", config.rule), RowRule):
        yield from _of_row_rule(config)
    if config.level == "update" and config.between == "weighted_loss":
        yield from _of_plain_steps(config)
    if config.level in ("loss", "update") and config.manipulation != "clippy" and config.clip != type(config.clip)():
        yield "clip", "acts only with manipulation: clippy"
    if config.rule == "nash" and config.solver == "newton" and _changed(config, "max_iterations"):
        yield "max_iterations", "acts only with solver: ccp; newton goes on until it is exact"
    if config.level == "loss" and config.manipulation == "none" and config.preconditioner is not None:
        yield "preconditioner", "acts only with manipulation: clippy; else the step is the optimiser's own"


def of_training(config: Any, training: Any) -> Iterator[Fault]:
    """Faults of a balancer's checked block with an experiment's ``training``."""
    yield from of_optimizer(config, training.optimizer.name)
    if config.level == "representation" and training.micro_batches > 1:
        yield "level", "representation balances a whole batch at once: micro_batches must be 1"


def of_problem(model: Any, training: Any) -> Iterator[Fault]:
    """Faults of an experiment's ``training``, by itself and with the kind of problem that its ``model`` is of."""
    if training.selection != "last" and training.last_epochs > 1:
        yield "training.last_epochs", "acts only with selection: last"
    if training.last_epochs > training.epochs:
        yield "training.last_epochs", f"there are {training.epochs} epochs"
    if not training.schedule.every and _changed(training.schedule, "factor"):
        yield "training.schedule.factor", "acts only with every: how many epochs lie between drops"
    if model.problem == "scenes":
        for key, wanted in {"selection": "last", "patience": 0}.items():
            if getattr(training, key) != wanted:
                yield f"training.{key}", f"scenes have no one score to choose an epoch by: it must be {wanted}"
    else:
        for key in ("augment", "channels_last"):
            if getattr(training, key):
                yield f"training.{key}", "is of images: leave it out"


def of_optimizer(config: Any, optimizer: str) -> Iterator[Fault]:
    """Faults of a balancer's checked block with the optimiser of that name."""
    if getattr(config, "manipulation", None) != "clippy" or optimizer == "adagrad":
        return
    for key in ("accumulator", "initial_accumulator"):
        if _changed(config.clip, key):
            yield f"clip.{key}", f"{optimizer} has no accumulator: only adagrad does"


def _of_row_rule(config: Any) -> Iterator[Fault]:
    """A rule that combines the rows itself leaves no weights to keep or to scale, and sees no Gram matrix."""
    for key in ("every", "first_search"):
        value = getattr(config, key, 1)
        if value > 1:
            yield key, f"rule {config.rule} has no weights to keep: {key} must be 1, not {value}"
    if getattr(config, "rescale", None) in ("sum_to_1", "match_norm"):
        yield "rescale", f"rule {config.rule} makes the joint update itself: there are no weights to rescale"
    if getattr(config, "moment_weights", None) == "solved":
        yield "moment_weights", f"rule {config.rule} makes the joint update itself: no weights are solved for"
    if getattr(config, "gram_over", "shared") == "all":
        yield "gram_over", f"rule {config.rule} sees the rows, not their Gram matrix"


def _of_plain_steps(config: Any) -> Iterator[Fault]:
    """Between searches such a step is the optimiser's own, of the weighted loss: it knows no separate updates."""
    reasons = {
        "would not move the moments that adatask keeps for each task": config.manipulation == "adatask",
        "would not be clipped": config.manipulation == "clippy",
        "would not have a delayed preconditioner": config.preconditioner == "delayed",
        "moves the moments with the weights of its loss": config.moment_weights in ("solved", "ones"),
    }
    for reason, applies in reasons.items():
        if applies:
            yield "between", f"with weighted_loss a step between searches {reason}; use task_updates"


def _changed(block: Any, key: str) -> bool:
    """Whether a key of a checked block has another value than its default."""
    return getattr(block, key) != type(block).model_fields[key].default
