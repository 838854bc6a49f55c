"""Balancers: a rule at a level, each with its options."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import BeforeValidator, SerializeAsAny, create_model

from mtbalance.combinations import of_balancer, refuse
from mtbalance.config.blocks import Count, NonNegative, Positive, Strict
from mtbalance.registry import available, load


class Clip(Strict):
    """How far Clippy lets a coordinate move in a step: relative times its size, plus absolute.

    With the optimiser AdaGrad it is the original Clippy, whose authors' values are the defaults.
    """

    relative: NonNegative = 0.1
    absolute: NonNegative | None = None
    """Left out: 1e-7 with AdaGrad, as in the authors' code; 1e-4 with others (the released Adam form's 0.01, with
    relative 0.5, can never clip at lr 1e-3)."""
    accumulator: NonNegative = 0.0
    """AdaGrad only: allows this over the root of the accumulator too."""
    initial_accumulator: NonNegative = 0.1
    """AdaGrad only: what the accumulator begins with."""


Heads = Literal["own", "weighted"]
"""What a task's own parameters get. Their gradient of the sum of losses is the same as ``own``."""
Preconditioner = Literal["present", "delayed"]


class LossLevel(Strict):
    """One backward pass of the weighted sum of losses."""

    level: Literal["loss"]
    rule: str
    manipulation: Literal["none", "clippy"] = "none"
    """``clippy``: clip the joint update of every tensor (with equal weights: ClippyAdam)."""
    clip: Clip = Clip()
    preconditioner: Preconditioner | None = None
    """Clippy only: whether the divisor of an update has seen its gradient; left out: ``delayed`` with AdaGrad
    (the original), ``present`` with others."""
    max_norm: Positive | None = None
    """Shorten the gradient of all parameters to this norm before the optimiser's step; left out: never."""


class RepresentationLevel(Strict):
    """Balance dL_k/dz at the representation z where tasks fork; one backward pass through the trunk."""

    level: Literal["representation"]
    rule: str
    heads: Heads | None = None
    """What a task's own parameters get: gradients of its loss, or of its weighted loss; left out: the authors' way."""
    max_norm: Positive | None = None
    """Shorten the gradient of all parameters, trunk and heads, to this norm before the optimiser's step."""


class GradientLevel(Strict):
    """Balance dL_k/dtheta, the gradients of the shared parameters."""

    level: Literal["gradient"]
    rule: str
    heads: Heads | None = None
    every: Count = 1
    """Search weights at steps 1, n+1, 2n+1, ... and keep them between."""
    between: Literal["weighted_loss", "task_updates"] = "weighted_loss"
    """Between searches: one backward pass of the weighted sum, or K backward passes as at a search."""
    max_norm: Positive | None = None
    """Shorten the joint gradient of all parameters to this norm before the optimiser's step (NashMTL's code: 1.0)."""


class UpdateLevel(Strict):
    """Balance what the optimiser would do with each task's gradient alone (PUB, algorithm 1)."""

    not_here = {
        "max_norm": "shortens a joint gradient, and here updates are combined: their scale is rescale and lr; "
        "what limits an update is manipulation: clippy"
    }

    level: Literal["update"]
    rule: str
    heads: Heads | None = None
    every: Count = 1
    first_search: Count = 1
    """Step of the first search (the release's: 2); until then tasks weigh the same."""
    between: Literal["task_updates", "weighted_loss"] = "task_updates"
    rescale: Literal["sum_to_K", "sum_to_1", "match_norm", "none"] = "sum_to_K"
    """Scale of the weights: their sum made K, or 1; the joint update made as long as the plain sum; or as solved."""
    manipulation: Literal["none", "clippy", "adatask"] = "none"
    """What is done to each task's update before they are combined: clipped (PUB+Clippy), or from moments of its own
    (PUB+AdaTask; with equal weights: AdaTask)."""
    clip: Clip = Clip()
    preconditioner: Preconditioner | None = None
    """Whether the divisor of a task's update has seen its gradient (``present``, the release's) or not; left out:
    ``present``, but ``delayed`` for Clippy with AdaGrad (the original)."""
    moment_weights: Literal["rescaled", "solved", "ones"] | None = None
    """Weights of the gradients that the moments see: those of the step, those before ``rescale``, or none; left out:
    ``rescaled``, but ``ones`` for AdaTask's moments."""
    gram_over: Literal["shared", "all"] = "shared"
    """Whether a search looks at updates of shared parameters (the paper), or of all, towers too (the release)."""


LEVELS: dict[str, type[Strict]] = {
    "loss": LossLevel,
    "representation": RepresentationLevel,
    "gradient": GradientLevel,
    "update": UpdateLevel,
}


@cache
def balancer_model(level: str, rule: str) -> type[Strict]:
    """The schema of one balancer: the options of its level, then those of its rule (its constructor's)."""
    constructor = load("mtbalance.rules", rule).__init__
    hints = get_type_hints(constructor, include_extras=True)
    options = {
        name: (hints[name], parameter.default)
        for name, parameter in inspect.signature(constructor).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
    return create_model(f"{rule} at {level}", __base__=LEVELS[level], **options)


def balancer_config(block: Mapping[str, Any]) -> Strict:
    """Validate one balancer's block of ``params.yaml``.

    Raises ``pydantic.ValidationError`` for a key or value that its level or its rule does not have, and for an
    unknown level or rule; :class:`Senseless` for options that do not go together.
    """
    names = create_model(
        "balancer",
        level=(Literal[tuple(LEVELS)], ...),
        rule=(Literal[tuple(available("mtbalance.rules"))], ...),
    ).model_validate(dict(block))
    config = balancer_model(names.level, names.rule).model_validate(dict(block))
    refuse(of_balancer(config))
    rule = load("mtbalance.rules", names.rule)
    rule.check_level(names.level)
    options = rule_options(config)
    tasks = len(next(iter(lists_of(options).values()), ())) or 2
    rule(tasks=tasks, **options)  # its constructor checks the values
    return config


def lists_of(options: Mapping[str, Any]) -> dict[str, list]:
    """The options of a rule that hold one value a task."""
    return {name: value for name, value in options.items() if isinstance(value, list)}


def task_faults(config: Strict, tasks: int, path: str) -> list[str]:
    """A line for each option of the balancer ``config``, at ``path``, that has values for another number of tasks."""
    lists = lists_of(rule_options(config))
    return [f"{path}.{name}: {len(found)} values, not {tasks}" for name, found in lists.items() if len(found) != tasks]


def rule_options(config: Strict) -> dict[str, Any]:
    """The options of ``config`` that belong to the rule's constructor."""
    level_keys = LEVELS[config.level].model_fields
    return {key: value for key, value in config.model_dump().items() if key not in level_keys}


def _as_balancer(block: Any) -> Strict:
    return block if isinstance(block, Strict) else balancer_config(block)


Balancer = Annotated[SerializeAsAny[Strict], BeforeValidator(_as_balancer)]
"""A balancer's block, checked by :func:`balancer_config`."""
