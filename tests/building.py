"""Parts of a balancer, built from keyword arguments as the library's user gives them."""

from collections.abc import Iterable

from torch.nn import Parameter

from mtbalance.balancing.levels import Level, build_level
from mtbalance.balancing.manipulations import Manipulation, build_manipulation
from mtbalance.balancing.optimizers import Optimizer, build_optimizer
from mtbalance.balancing.options import LEVELS, OptimizerOptions, UpdateOptions
from mtbalance.balancing.rules import Rule


def an_optimizer(parameters: Iterable[Parameter], name: str = "adam", **options) -> Optimizer:
    return build_optimizer(parameters, OptimizerOptions(name=name, **options))


def a_level(level: str, rule: Rule, parameters: Iterable[Parameter], optimizer: Optimizer, **options) -> Level:
    return build_level(LEVELS[level](level=level, rule="any", **options), rule, parameters, optimizer)


def a_manipulation(name: str, optimizer: Optimizer, **options) -> Manipulation:
    return build_manipulation(optimizer, UpdateOptions(level="update", rule="any", manipulation=name, **options))
