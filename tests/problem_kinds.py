"""Which backbones solve which kind of problem, as the kinds declare it."""

from mtbalance.config.kinds import kind
from mtbalance.registry import available


def kinds(problem: str) -> list[str]:
    """The kinds of backbone for a kind of problem."""
    return available(kind(problem).models)
