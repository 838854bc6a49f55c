"""Checks between the options of one balancer, and with its optimizer: contradictions, and options without effect."""

from __future__ import annotations

from collections.abc import Iterator

from mtbalance.balancing.options import (
    RULES,
    BalancerOptions,
    LossOptions,
    ManipulationOptions,
    SearchOptions,
    UpdateOptions,
)
from mtbalance.balancing.rules import RowRule, Rule
from mtbalance.blocks import Fault, changed
from mtbalance.registry import entry


def of_balancer(options: BalancerOptions) -> Iterator[Fault]:
    """Faults of a balancer's options, whatever the optimizer."""
    if issubclass(entry(RULES, options.rule, Rule), RowRule):
        yield from _of_row_rule(options)
    if isinstance(options, UpdateOptions) and options.between == "weighted_loss":
        yield from _of_plain_steps(options)
    if isinstance(options, ManipulationOptions) and options.manipulation != "clippy" and changed(options, "clip"):
        yield "clip", "acts only with manipulation: clippy"
    if options.rule == "nash" and not changed(options, "solver") and changed(options, "max_iterations"):
        yield "max_iterations", "acts only with solver: ccp; newton iterates until its solution is exact"
    if isinstance(options, LossOptions) and options.manipulation == "none" and options.preconditioner is not None:
        yield "preconditioner", "acts only with manipulation: clippy; without it the step is the optimizer's own"


def of_optimizer(options: BalancerOptions, optimizer: str) -> Iterator[Fault]:
    """Faults of a balancer's options with the optimizer of that name."""
    if not isinstance(options, ManipulationOptions) or options.manipulation != "clippy" or optimizer == "adagrad":
        return
    for key in ("accumulator", "initial_accumulator"):
        if changed(options.clip, key):
            yield f"clip.{key}", f"{optimizer} has no accumulator: only adagrad does"


def _of_row_rule(options: BalancerOptions) -> Iterator[Fault]:
    """A rule that combines the rows itself leaves no weights to keep or to scale, and sees no Gram matrix."""
    if isinstance(options, SearchOptions) and options.every > 1:
        yield "every", f"rule {options.rule} has no weights to keep: every must be 1, not {options.every}"
    if not isinstance(options, UpdateOptions):
        return
    if options.first_search > 1:
        reason = f"rule {options.rule} has no weights to keep: first_search must be 1, not {options.first_search}"
        yield "first_search", reason
    if options.rescale in ("sum_to_1", "match_norm"):
        yield "rescale", f"rule {options.rule} makes the joint update itself: there are no weights to rescale"
    if options.moment_weights == "solved":
        yield "moment_weights", f"rule {options.rule} makes the joint update itself: no weights are solved for"
    if options.gram_over == "all":
        yield "gram_over", f"rule {options.rule} sees the rows, not their Gram matrix"


def _of_plain_steps(options: UpdateOptions) -> Iterator[Fault]:
    """A step between searches is then the optimizer's own, on the weighted loss: it has no update for each task."""
    reasons = {
        "would not move the moments that adatask keeps for each task": options.manipulation == "adatask",
        "would not be clipped": options.manipulation == "clippy",
        "would not have a delayed preconditioner": options.preconditioner == "delayed",
        "moves the moments with the weights of its loss": options.moment_weights in ("solved", "ones"),
    }
    for reason, applies in reasons.items():
        if applies:
            yield "between", f"with weighted_loss a step between searches {reason}; use task_updates"
