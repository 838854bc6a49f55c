"""Checks of a balancer's block: names of level and rule, options and values, one value per task. Free of torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, Any

from pydantic import BeforeValidator, SerializeAsAny

from mtbalance.balancing.by_name import TARGET, allowing_names, name_faults, named, of_any_tasks, of_tasks
from mtbalance.balancing.contradictions import of_balancer, of_rule
from mtbalance.balancing.options import LEVELS, RULES, BalancerOptions
from mtbalance.balancing.rules import Rule
from mtbalance.blocks import extended, refuse
from mtbalance.errors import quoted
from mtbalance.registry import available, declaration, entry, unknown


@cache
def balancer_schema(level: str, rule: str) -> type[BalancerOptions]:
    """The schema of one balancer: the options of its level, then those of its rule."""
    return extended(LEVELS[level], f"{rule} at {level}", allowing_names(declaration(RULES, rule).options))


def balancer_options(block: Mapping[str, Any]) -> BalancerOptions:
    """Check one balancer's block of ``params.yaml``, or the library's arguments.

    Raises ``pydantic.ValidationError`` for a key or value that its level or its rule does not have, ``Contradictions``
    for an unknown level or rule and for options that contradict each other, and ``ValueError`` for a value that the
    rule refuses and for a rule that is not defined at the level.
    """
    for key, known in (("level", list(LEVELS)), ("rule", available(RULES))):
        name = block.get(key)
        if name not in known:
            refuse([(key, unknown(key, str(name), known) if key in block else f"missing; one of {', '.join(known)}")])
    options = balancer_schema(block["level"], block["rule"]).model_validate(dict(block))
    rule = entry(RULES, options.rule, Rule)
    refuse(of_balancer(options, rule))
    rule.check_level(options.level)
    own = rule_options(options)
    own |= of_any_tasks(named(options.rule, own))
    tasks = len(next(iter(_lists(own).values()), ())) or max(2, own.get("target", 0) + 1)
    refuse(of_rule(options, rule(tasks=tasks, **own)))  # the constructor checks the values
    return options


def level_options(block: Mapping[str, Any], rule: Rule) -> BalancerOptions:
    """As :func:`balancer_options`, for a block without options of a rule, since the rule has been made already."""
    level = block["level"]
    if level not in LEVELS:
        refuse([("level", unknown("level", level, list(LEVELS)))])
    checked = LEVELS[level].model_validate(dict(block))
    refuse([*of_balancer(checked, type(rule)), *of_rule(checked, rule)])
    return checked


def rule_options(options: BalancerOptions) -> dict[str, Any]:
    """The options that belong to the rule's constructor."""
    level_keys = LEVELS[options.level].model_fields
    return {key: value for key, value in options.model_dump().items() if key not in level_keys}


def task_faults(options: BalancerOptions, tasks: Sequence[str], path: str) -> list[str]:
    """A line for each option of the balancer at ``path`` that does not fit the tasks: list, mapping or target."""
    own = rule_options(options)
    faults = [f"{path}.{key}: {reason}" for key, reason in name_faults(named(options.rule, own), tasks)]
    for name, found in _lists(own).items():
        if len(found) != len(tasks):
            faults.append(f"{path}.{name}: {len(found)} values, not {len(tasks)}")
    target = own.get(TARGET, 0)
    if isinstance(target, int) and target >= len(tasks):
        faults.append(f"{path}.target: must be at most {len(tasks) - 1}, the number of the last task")
    return faults


def placed(options: BalancerOptions, tasks: Sequence[str]) -> BalancerOptions:
    """The options with what is given by the tasks' names in the order of the tasks."""
    return options.model_copy(update=of_tasks(named(options.rule, rule_options(options)), tasks))


def _lists(options: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The options of a rule that hold one value per task."""
    return {name: value for name, value in options.items() if isinstance(value, list)}


def _checked(block: Any) -> BalancerOptions:
    if not isinstance(block, Mapping | BalancerOptions):
        refuse([("", f"a block with level and rule is wanted, not {quoted(block)}")])
    return block if isinstance(block, BalancerOptions) else balancer_options(block)


AnyBalancer = Annotated[SerializeAsAny[BalancerOptions], BeforeValidator(_checked)]
"""A balancer's block, checked by :func:`balancer_options`."""
