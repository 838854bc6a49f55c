"""Checks of what a rule remembers and draws: a seed repeats it, and a saved state goes on with it bit for bit."""

from __future__ import annotations

import copy
import json
import pickle
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from mtbalance.balancing.arrays import Vector
from mtbalance.balancing.contract.rows import J3C, LOSSES, random_rows
from mtbalance.balancing.contract.steps import shown, tried
from mtbalance.balancing.contract.verdicts import Broken, Subject
from mtbalance.balancing.rules import RowRule, Rule

GLOBAL: dict[str, Callable[[], Any]] = {
    "numpy.random": lambda: pickle.dumps(np.random.get_state()),
    "random": random.getstate,
    "torch": lambda: torch.get_rng_state().tolist(),
}
"""The global random numbers of a process, by the module that draws them."""


def seeds(subject: Subject) -> str:
    """A seed repeats all numbers; another seed gives other draws, if the rule draws."""
    before = {name: state() for name, state in GLOBAL.items()}
    first = _steps(subject, seed=1)
    used = [name for name, state in GLOBAL.items() if state() != before[name]]
    if used:
        raise Broken(
            f"ten steps moved the global random numbers of {', '.join(used)}",
            "Draw from self.generator, and set draws = True in the class. A seed then repeats the run.",
        )
    again, other = _steps(subject, seed=1), _steps(subject, seed=2)
    for step, (one, two) in enumerate(zip(first, again, strict=True), start=1):
        if not np.array_equal(one, two):
            raise Broken(
                f"the rows {shown(J3C)} and the losses [1, 1, 1] went in, with seed 1, twice; out came {shown(one)} "
                f"and {shown(two)} (joint row and weights, step {step})"
            )
    differ = any(not np.array_equal(one, two) for one, two in zip(first, other, strict=True))
    if subject.rule.draws and not differ:
        raise Broken(
            "draws is True, but seeds 1 and 2 gave the same numbers", "Draw from self.generator, or leave draws out."
        )
    if differ and not subject.rule.draws:
        raise Broken("seeds 1 and 2 gave different numbers, but draws is False", "Set draws = True in the class.")
    return "a seed repeats its draws, another does not" if subject.rule.draws else "ten steps repeat; nothing is drawn"


def _steps(subject: Subject, seed: int) -> list[Vector]:
    rule = subject.new(3, seed)
    return [np.concatenate(tried(subject, rule, J3C, np.ones(3))) for _ in range(10)]


def resume(subject: Subject) -> str:
    """A rule that takes back a saved state goes on with the same numbers, bit for bit."""
    first, second = subject.new(3, seed=5), subject.new(3)
    for step, losses in enumerate(LOSSES[:30, :3]):
        tried(subject, first, random_rows(3, step), losses)
    tried(subject, second, random_rows(3, 99), LOSSES[40, :3])  # something to be overwritten
    second.load_state_dict(_saved(first))
    forgotten = _differing(first, second)
    for step, losses in enumerate(LOSSES[30:, :3], start=31):
        rows = random_rows(3, step)
        one, other = (tried(subject, rule, rows, losses) for rule in (first, second))
        if not all(map(np.array_equal, one, other)):
            found = (
                f"step {step}, in went the rows {shown(rows)} and the losses {shown(losses)}; the rule that went on "
                f"gave the weights {shown(one[1])} and the joint row {shown(one[0])}, the one that was resumed after "
                f"step 30 gave {shown(other[1])} and {shown(other[0])}"
            )
            kept = f"state_dict() has {sorted(map(str, first.state_dict())) or 'nothing'}"
            names = f"after loading, they differ in {' and '.join(forgotten)}; " if forgotten else ""
            raise Broken(f"{found}; {names}{kept}", _advice(forgotten))
    return "30 steps after a saved state are those of the rule that went on"


def _advice(forgotten: list[str]) -> str:
    if "self.generator" in forgotten:
        return "Begin with super().state_dict() and super().load_state_dict(state): they keep the random numbers."
    names = " and ".join(forgotten) or "all that a step depends on"
    return f"Let state_dict() give {names}, and load_state_dict() take it back, each bit of it."


def _saved(rule: Rule) -> dict[str, Any]:
    """What a checkpoint keeps: JSON, and for a rule that sees rows also tensors."""
    state = copy.deepcopy(rule.state_dict())
    if isinstance(rule, RowRule):
        return state
    try:
        found: dict[str, Any] = json.loads(json.dumps(state))
    except TypeError as error:
        raise Broken(
            f"state_dict() of a rule without rows must be JSON: {error}",
            "Give lists (array.tolist()) and plain numbers.",
        ) from None
    return found


def _differing(one: Rule, other: Rule) -> list[str]:
    """The attributes in which two rules differ, as far as they can be compared.

    Diagnostics do not count, nor do the random numbers of a rule that does not draw.
    """
    ignored = {"diagnostics"} if one.draws else {"diagnostics", "generator"}
    found = []
    for name in vars(one).keys() - ignored:
        try:
            same = pickle.dumps(vars(one)[name]) == pickle.dumps(vars(other).get(name))
        except (TypeError, AttributeError, pickle.PicklingError):
            continue
        found += [f"self.{name}"] * (not same)
    return sorted(found)


def snapshot(subject: Subject) -> str:
    """A state that was saved does not change with later steps."""
    rule = subject.new(3)
    tried(subject, rule, J3C, LOSSES[0, :3])
    state = rule.state_dict()
    before = copy.deepcopy(state)
    for losses in LOSSES[1:4, :3]:
        tried(subject, rule, J3C[[2, 0, 1]], losses)
    changed = [key for key in before if repr(before[key]) != repr(state.get(key))]
    if changed:
        raise Broken(f"three steps after state_dict() had been called, its {', '.join(map(str, changed))} had changed")
    return "a saved state stays as it was"
