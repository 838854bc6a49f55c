"""The JSON schema of ``params.yaml``: an editor that reads it completes keys, shows their sentences, and marks faults.

A block that has several kinds, such as a balancer with its level and rule, gets the options of all of them. Which
options go together only ``mtbalance check`` can say.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mtbalance.balancing.checking import balancer_schema
from mtbalance.balancing.options import LEVELS, RULES
from mtbalance.balancing.rules import Rule
from mtbalance.blocks import Block, extended
from mtbalance.config.datasets import ADAPTERS, Dataset
from mtbalance.config.kinds import kind, kinds
from mtbalance.config.models import BackboneBlock, backbone_kinds
from mtbalance.config.parameters import Parameters
from mtbalance.registry import available, declaration, entry

DRAFT = "https://json-schema.org/draft/2020-12/schema"
FILLED_IN = {"model", "training", "tables", "figures"}
"""Keys of an experiment that its kind of problem fills in where they are left out."""


def json_schema() -> dict[str, Any]:
    """The schema of the whole file."""
    schema = Parameters.model_json_schema()
    blocks = schema["$defs"]
    for name, union in (
        ("BalancerOptions", _union(_balancers(), level=list(LEVELS), rule=available(RULES))),
        ("BackboneBlock", _union(_backbones(), kind=list(backbone_kinds()))),
        ("Dataset", _union(_adapters(), adapter=available(ADAPTERS))),
        ("ModelSizes", _union((kind(name).sizes for name in kinds()), problem=kinds())),
    ):
        described = blocks[name]["properties"]
        for key, option in union["properties"].items():
            option |= {"description": described[key]["description"]} if "description" in described.get(key, {}) else {}
        blocks |= union.pop("$defs")
        blocks[name] |= union
    experiment = blocks["Experiment"]
    experiment["required"] = [key for key in experiment["required"] if key not in FILLED_IN]
    return {"$schema": DRAFT, **schema, "title": "params.yaml of mtbalance"}


def _union(schemas: Iterable[type[Block]], **names: list[str]) -> dict[str, Any]:
    """One block with the options of several; ``names`` are the keys that choose among them, and their values."""
    properties: dict[str, list[Any]] = {}
    definitions: dict[str, Any] = {}
    required: list[set[str]] = []
    for block in schemas:
        found = block.model_json_schema()
        definitions |= found.get("$defs", {})
        required.append(set(found.get("required", [])))
        for key, option in found["properties"].items():
            properties.setdefault(key, [])
            properties[key] += [option] if option not in properties[key] else []
    options = {key: forms[0] if len(forms) == 1 else {"anyOf": forms} for key, forms in properties.items()}
    return {
        "properties": options | {key: {"enum": values} for key, values in names.items()},
        "required": sorted(set.intersection(*required)),
        "$defs": definitions,
    }


def _balancers() -> Iterable[type[Block]]:
    for rule in available(RULES):
        levels = entry(RULES, rule, Rule).levels
        yield from (balancer_schema(level, rule) for level in LEVELS if level in levels)


def _backbones() -> Iterable[type[Block]]:
    for name, package in backbone_kinds().items():
        yield extended(BackboneBlock, name, declaration(package, name).options)


def _adapters() -> Iterable[type[Block]]:
    return (entry(ADAPTERS, name, Dataset) for name in available(ADAPTERS))
