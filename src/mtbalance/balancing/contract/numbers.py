"""Checks of the numbers of single steps: finite, of right shape, and the same whatever the order and the precision."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from mtbalance.balancing.arrays import Matrix, Vector
from mtbalance.balancing.contract.rows import CASES, J2, J3, J3C, LOSSES, losses_of, random_rows
from mtbalance.balancing.contract.steps import going_in, require_joint, shown, spread, take, tried, weights_of
from mtbalance.balancing.contract.verdicts import Broken, NotAsked, Subject
from mtbalance.balancing.rules import LossRule, RowRule, Rule

SHAPES: tuple[tuple[int, ...], ...] = ((3, 4), (5,), (), (0,))
SCALES = (1e-12, 1.0, 1e12)
SINGLE_TOLERANCE, HALF_TOLERANCE = 1e-4, 0.1
"""Largest differences to double precision, relative to the longest row times the largest weight."""


def finite_on(group: str) -> Callable[[Subject], str]:
    """The check that three steps on each case of the group are finite and of right shape, in both precisions."""

    def check(subject: Subject) -> str:
        for case, rows in CASES[group].items():
            for dtype in (torch.float32, torch.float64):
                rule = subject.new(len(rows))
                for _ in range(3):
                    tried(subject, rule, rows, losses_of(len(rows)), case, dtype)
        return f"finite on: {', '.join(CASES[group])}"

    return check


def scales(subject: Subject) -> str:
    """Rows of any length, and for a rule of losses also losses of any size, give finite numbers."""
    found = finite_on("scales")(subject)
    if not issubclass(subject.rule, LossRule):
        return found
    for scale in SCALES:
        rule = subject.new(3)
        for step in range(60):
            tried(subject, rule, J3, scale * np.array([1, 1e-3, 2 + np.sin(step)]), f"step {step + 1}")
    return f"{found}; on losses times 1e-12 and 1e12"


def shapes(subject: Subject) -> str:
    """Rows may be spread over tensors of any shape: a kernel, a vector, a single number, no number."""
    rule, given = subject.new(2), f"rows over tensors of shapes {', '.join(str(list(shape)) for shape in SHAPES)}"
    rows = [torch.randn(2, *shape, generator=torch.Generator().manual_seed(0)) for shape in SHAPES]
    with going_in(f"in went {given}", subject):
        joint, _ = take(rule, rows, np.ones(2))
        require_joint(joint, rows)
    return given


def permutation(subject: Subject) -> str:
    """Tasks in another order have the same weights in that order, and the same joint row."""
    if subject.rule.draws:
        raise NotAsked("it draws: tasks in another order draw other numbers")
    if not subject.rule.symmetric:
        raise NotAsked("symmetric is False: a task's place has a meaning")
    for rows in (J2, J3, J3C, random_rows(8, 2)):
        _permuted(subject, rows)
    return "60 steps on 2, 3 and 8 tasks in another order"


def _permuted(subject: Subject, rows: Matrix) -> None:
    order = np.random.default_rng(0).permutation(len(rows)) if len(rows) > 2 else np.array([1, 0])
    straight, turned = subject.new(len(rows)), subject.new(len(rows))
    for step, losses in enumerate(LOSSES[:, : len(rows)], start=1):
        joint, weights = tried(subject, straight, rows, losses)
        same_joint, same = tried(subject, turned, rows[order], losses[order])
        if not _close(same, weights[order], 1e-7, 1e-10) or not _close(same_joint, joint, 1e-7, 1e-10):
            raise Broken(
                f"step {step}, in went the rows {shown(rows)} and the losses {shown(losses)}; out came the weights "
                f"{shown(weights)} and the joint row {shown(joint)}. With the tasks in the order {order.tolist()} out "
                f"came {shown(same)}, not {shown(weights[order])}, and the joint row {shown(same_joint)}"
            )


def precision(subject: Subject) -> str:
    """Single precision, and for a rule of rows bfloat16, comes to what double precision does, but for rounding."""
    sees_rows = issubclass(subject.rule, RowRule)
    if sees_rows and subject.rule.draws:
        for rows in (J3C, random_rows(8, 2)):
            tried(subject, subject.new(len(rows)), rows, losses_of(len(rows)), dtype=torch.bfloat16)
        return "bfloat16 is finite and stays bfloat16; values are not compared, since it draws"
    _near_double(subject, torch.float32, SINGLE_TOLERANCE)
    if sees_rows:
        _near_double(subject, torch.bfloat16, HALF_TOLERANCE)
    return f"single precision{' and bfloat16 are' if sees_rows else ' is'} near double precision"


def _near_double(subject: Subject, dtype: torch.dtype, tolerance: float) -> None:
    for rows in (J2, J3C, random_rows(4, 5), random_rows(8, 2)):
        losses = losses_of(len(rows))
        exact, weights = tried(subject, subject.new(len(rows)), rows, losses)
        joint, found = tried(subject, subject.new(len(rows)), rows, losses, dtype=dtype)
        size = np.abs(weights).max()
        if not _close(found, weights, 0, tolerance * size) or not _close(
            joint, exact, 0, tolerance * size * np.linalg.norm(rows, axis=1).max()
        ):
            raise Broken(
                f"in went the rows {shown(rows)} and the losses {shown(losses)}; out came the weights {shown(found)} "
                f"and the joint row {shown(joint)} with {dtype} rows, but {shown(weights)} and {shown(exact)} with "
                "torch.float64 rows"
            )


def _close(found: Matrix, wanted: Matrix, relative: float, absolute: float) -> bool:
    return np.allclose(found, wanted, rtol=relative, atol=absolute)


def inputs(subject: Subject) -> str:
    """A rule changes nothing that it is given, keeps none of it, and hands out nothing that it keeps."""
    rule, other = subject.new(3), subject.new(3)
    for losses in LOSSES[:3, :3]:
        given, before = Given(losses), Given(losses)
        weights, same = given.seen_by(rule), before.seen_by(other)
        if changed := given.differing(Given(losses)):
            raise Broken(
                f"in went the rows {shown(J3C)} and the losses {shown(losses)}; afterwards the {changed} were changed"
            )
        if not np.array_equal(weights, same):
            raise Broken(
                f"the caller wrote sevens into the losses and the rows of the last step, and into the weights that it "
                f"had been given; the next weights were {shown(weights)}, not {shown(same)}",
                "Keep copies, and return copies: losses.copy(), row.clone(), self.last.copy().",
            )
        given.overwrite()
        weights[:] = 7
    return "rows and losses stay as they are; overwriting them afterwards, or the weights, does no harm"


class Given:
    """What a rule is given at a step, each in memory of its own."""

    def __init__(self, losses: Vector) -> None:
        self.losses, self.rows, self.gram = losses.copy(), spread(J3C), J3C @ J3C.T

    def seen_by(self, rule: Rule) -> Vector:
        """The weights of a rule that has seen it."""
        if isinstance(rule, RowRule):
            return rule.combine(self.rows, self.losses)[1]
        return weights_of(rule, self.gram, self.losses)

    def differing(self, other: Given) -> str:
        """The name of what is not as in ``other``; empty if all is."""
        if not np.array_equal(self.losses, other.losses):
            return "losses"
        if not np.array_equal(self.gram, other.gram):
            return "inner products (gram)"
        return "" if all(map(torch.equal, self.rows, other.rows)) else "rows"

    def overwrite(self) -> None:
        """Write sevens into all of it."""
        self.losses[:] = self.gram[:] = 7
        for tensor in self.rows:
            tensor.fill_(7)
