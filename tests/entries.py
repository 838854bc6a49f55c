"""Entries of the registries, by name."""

from mtbalance.balancing.levels import Level
from mtbalance.balancing.rules import Rule
from mtbalance.config.models import backbone_kinds
from mtbalance.models.backbone import Backbone
from mtbalance.registry import entry
from mtbalance.tasks import Task


def rule_class(name: str) -> type[Rule]:
    return entry("mtbalance.balancing.rules", name, Rule)


def level_class(name: str) -> type[Level]:
    return entry("mtbalance.balancing.levels", name, Level)


def task_class(name: str) -> type[Task]:
    return entry("mtbalance.tasks", name, Task)


def backbone_class(name: str) -> type[Backbone]:
    return entry(backbone_kinds()[name], name, Backbone)
