"""Every rule with its docstring."""

from __future__ import annotations

from mtbalance.balancing.options import RULES
from mtbalance.balancing.rules import Rule
from mtbalance.registry import available, entry


def markdown() -> str:
    """A section for each rule, in the order of names."""
    return "\n".join(_section(name) for name in available(RULES))


def _section(name: str) -> str:
    rule = entry(RULES, name, Rule)
    return f"(rule-{name})=\n### `{name}`\n\n```{{eval-rst}}\n.. autoclass:: {rule.__module__}.{rule.__name__}\n```\n"
