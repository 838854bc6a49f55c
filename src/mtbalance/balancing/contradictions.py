"""Checks between the options of one balancer, and with its optimizer: contradictions, and options without effect."""

from __future__ import annotations

from collections.abc import Iterator

from mtbalance.balancing.options import (
    BalancerOptions,
    JointGradientOptions,
    LossOptions,
    ManipulationOptions,
    SearchOptions,
    UpdateOptions,
)
from mtbalance.balancing.rules import RowRule, Rule
from mtbalance.blocks import Fault, changed

CONSTANT = ("equal", "fixed")
"""Rules whose weights no step changes."""


def of_balancer(options: BalancerOptions, kind: type[Rule]) -> Iterator[Fault]:
    """Faults of a balancer's options with a rule of that kind, whatever the optimizer."""
    if issubclass(kind, RowRule):
        yield from _of_row_rule(options)
    if isinstance(options, UpdateOptions) and options.between == "weighted_loss":
        yield from _of_plain_steps(options)
    if isinstance(options, SearchOptions):
        yield from _of_searches(options)
    if isinstance(options, UpdateOptions) and options.rescale == "none" and options.moment_weights == "solved":
        yield "moment_weights", "with rescale: none the weights of the step are those solved for; use rescaled"
    if isinstance(options, ManipulationOptions) and options.manipulation != "clippy" and changed(options, "clip"):
        yield "clip", "acts only with manipulation: clippy"
    if options.rule == "nash" and not changed(options, "solver") and changed(options, "max_iterations"):
        yield "max_iterations", "acts only with solver: ccp; newton iterates until its solution is exact"
    if isinstance(options, LossOptions) and options.manipulation == "none" and options.preconditioner is not None:
        yield "preconditioner", "acts only with manipulation: clippy; without it the step is the optimizer's own"
    if isinstance(options, JointGradientOptions) and options.max_norm is None and changed(options, "clip_over"):
        yield "clip_over", "acts only with max_norm"


def of_rule(options: BalancerOptions, rule: Rule) -> Iterator[Fault]:
    """Faults of a level's options with a rule that is built with its own."""
    if not isinstance(options, SearchOptions) or options.gram_over != "all":
        return
    acts = isinstance(options, UpdateOptions) and options.rescale == "match_norm"
    if rule.sees == "last_layer" and not acts:
        yield "gram_over", f"rule {options.rule} sees only the part of the rows in the last shared layer's weight"


def of_optimizer(options: BalancerOptions, optimizer: str) -> Iterator[Fault]:
    """Faults of a balancer's options with the optimizer of that name."""
    if not isinstance(options, ManipulationOptions) or options.manipulation != "clippy" or optimizer == "adagrad":
        return
    for key in ("accumulator", "initial_accumulator"):
        if changed(options.clip, key):
            yield f"clip.{key}", f"{optimizer} has no accumulator: only adagrad does"


def _of_row_rule(options: BalancerOptions) -> Iterator[Fault]:
    """A rule that combines the rows itself leaves no weights to keep or to scale, and sees no Gram matrix."""
    if options.smoothing:
        yield "smoothing", f"rule {options.rule} makes the joint row itself: there are no weights to smooth"
    if isinstance(options, SearchOptions) and options.every > 1:
        yield "every", f"rule {options.rule} has no weights to keep: every must be 1, not {options.every}"
    if isinstance(options, SearchOptions) and options.gram_over == "all":
        yield "gram_over", f"rule {options.rule} sees the rows, not their Gram matrix"
    if not isinstance(options, UpdateOptions):
        return
    if options.first_search > 1:
        reason = f"rule {options.rule} has no weights to keep: first_search must be 1, not {options.first_search}"
        yield "first_search", reason
    if options.rescale in ("sum_to_1", "match_norm"):
        yield "rescale", f"rule {options.rule} makes the joint update itself: there are no weights to rescale"
    if options.moment_weights == "solved":
        yield "moment_weights", f"rule {options.rule} makes the joint update itself: no weights are solved for"


def _of_searches(options: SearchOptions) -> Iterator[Fault]:
    """Options of the search, and of the steps that are none."""
    late = isinstance(options, UpdateOptions) and options.first_search > 1
    if options.every == 1 and not late and changed(options, "between"):
        yield "between", "acts only with every above 1: else every step searches weights"
    if options.rule in CONSTANT and options.every > 1:
        yield "every", f"rule {options.rule} has the same weights at every step: there is nothing to search"
    if options.rule in CONSTANT and options.gram_over == "all":
        yield "gram_over", f"rule {options.rule} has the same weights whatever the Gram matrix is"


def _of_plain_steps(options: UpdateOptions) -> Iterator[Fault]:
    """A step between searches then has no gradient for each task, only that of the weighted loss."""
    reasons = {
        "would not move the moments that adatask keeps for each task": options.manipulation == "adatask",
        "would not be clipped": options.manipulation == "clippy",
        "moves the moments with the weights of its loss": options.moment_weights in ("solved", "ones"),
    }
    for reason, applies in reasons.items():
        if applies:
            yield "between", f"with weighted_loss a step between searches {reason}; use task_updates"
