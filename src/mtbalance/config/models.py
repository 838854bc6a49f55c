"""Models: the sizes that the backbones of one kind of problem share, and the backbones with their own options."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, SerializeAsAny

from mtbalance.blocks import Block, extended, refuse
from mtbalance.registry import available, declaration, unknown

MODELS = "mtbalance.models"


class ModelSizes(Block):
    """Sizes that all backbones of one kind of problem share, so that they are compared at one capacity."""

    problem: str
    """The kind of problem: a folder of ``mtbalance.problems``."""

    def closed(self, decided: Mapping[str, Any]) -> Self:
        """The same, with the ``decided`` values of options that are left open (None)."""
        return self.model_copy(update={key: value for key, value in decided.items() if getattr(self, key, "") is None})


class BackboneBlock(Block):
    """A backbone: its kind, a file in a folder of ``mtbalance.models``, and the options of its constructor."""

    kind: str
    """The kind of backbone: a file in a folder of ``mtbalance.models``."""

    @property
    def package(self) -> str:
        """The package that has the file."""
        return _package(self.kind)

    @property
    def shares(self) -> bool:
        """True if tasks share parameters in it (the class's ``shares``)."""
        return bool(declaration(self.package, self.kind).constants.get("shares", True))

    def arguments(self) -> dict[str, Any]:
        """The options of the backbone's constructor."""
        return self.model_dump(exclude={"kind"})


def backbone_kinds() -> dict[str, str]:
    """The package of each kind of backbone, by its name."""
    packages = [f"{MODELS}.{folder}" for folder in available(MODELS) if folder != "backbone"]
    return {name: package for package in packages for name in available(package)}


def _package(kind: str) -> str:
    known = backbone_kinds()
    refuse([("kind", unknown("backbone", kind, list(known)))] if kind not in known else [])
    return known[kind]


@cache
def _schema(kind: str) -> type[BackboneBlock]:
    return extended(BackboneBlock, kind, declaration(_package(kind), kind).options)


def _backbone(block: Any) -> BackboneBlock:
    if isinstance(block, BackboneBlock):
        return block
    if not isinstance(block, Mapping) or not isinstance(block.get("kind"), str):
        refuse([("kind", f"missing: a backbone needs one of {', '.join(backbone_kinds())}")])
    return _schema(block["kind"]).model_validate(dict(block))


AnyBackbone = Annotated[SerializeAsAny[BackboneBlock], BeforeValidator(_backbone)]
"""A backbone's block, checked against the constructor of its kind."""
