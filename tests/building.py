"""Parts of a balancer, built from keyword arguments."""

from collections.abc import Iterable

from torch.nn import Parameter
from torch.optim import Optimizer

from mtbalance.balancing.levels import Level, build_level
from mtbalance.balancing.losses import read
from mtbalance.balancing.manipulations import Manipulation, build_manipulation
from mtbalance.balancing.optimizers import MomentProposer, build_optimizer
from mtbalance.balancing.options import LEVELS, OptimizerOptions, UpdateOptions
from mtbalance.balancing.proposals import build_proposer
from mtbalance.balancing.rules import Rule


def an_optimizer(parameters: Iterable[Parameter], name: str = "adam", **options) -> Optimizer:
    return build_optimizer(parameters, OptimizerOptions(name=name, **options))


def a_proposer(parameters: Iterable[Parameter], name: str = "adam", **options) -> MomentProposer:
    return build_proposer(an_optimizer(parameters, name, **options))


def a_level(level: str, rule: Rule, optimizer: Optimizer, *, shared=None, **options) -> Level:
    return build_level(LEVELS[level](level=level, rule="any", **options), rule, optimizer, shared=shared)


def a_manipulation(name: str, proposer: MomentProposer, **options) -> Manipulation:
    return build_manipulation(proposer, UpdateOptions(level="update", rule="any", manipulation=name, **options))


def told(manipulation: Manipulation) -> dict[str, float]:
    """The manipulation's diagnostics, read from the device as a level reads them."""
    return manipulation.diagnostics(read(manipulation.counts()))
