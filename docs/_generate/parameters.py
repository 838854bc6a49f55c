"""The reference of ``params.yaml``: every block, walked from the root, with its options."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic_core import PydanticUndefined

from _generate.words import option, sentence
from mtbalance.balancing.options import LEVELS, RULES, BalancerOptions
from mtbalance.balancing.rules import Rule
from mtbalance.blocks import Block
from mtbalance.config.datasets import ADAPTERS, Dataset
from mtbalance.config.experiments import Experiment
from mtbalance.config.kinds import kind, kinds
from mtbalance.config.models import BackboneBlock, ModelSizes, backbone_kinds
from mtbalance.config.parameters import Parameters
from mtbalance.registry import available, declaration, entry

NAME = "NAME"
FILLED_IN: dict[type[Block], set[str]] = {Experiment: {"model", "tables", "figures"}}
"""Options that the kind of problem fills in where they are left out."""


def markdown() -> str:
    """All sections."""
    return "\n".join(_Pages().section("", Parameters, 2))


class _Pages:
    """Sections of blocks, each block once."""

    def __init__(self) -> None:
        self.seen: set[type[Block]] = set()

    def section(self, path: str, block: type[Block], depth: int, title: str | None = None) -> Iterator[str]:
        """A block's options, then the blocks among them."""
        self.seen.add(block)
        heading = title or (f"`{path}`" if path else "The file")
        yield f"{'#' * depth} {heading}\n\n{_summary(block)}\n"
        yield from _options(block)
        yield from self.blocks_in(path, block, depth)

    def blocks_in(self, path: str, block: type[Block], depth: int) -> Iterator[str]:
        """Sections of the blocks that are options of a block."""
        for key, field in block.model_fields.items():
            for inner, many in _blocks(field.annotation):
                if inner not in self.seen:
                    below = ".".join(filter(None, [path, key, NAME if many else ""]))
                    yield from self.of_kind(below, inner, min(depth + 1, 4) if path else depth)

    def of_kind(self, path: str, block: type[Block], depth: int) -> Iterator[str]:
        """A block's section; one for each of its kinds where the block has several."""
        several = {ModelSizes: _sizes, Dataset: _adapters, BackboneBlock: _backbones, BalancerOptions: _balancers}
        if block not in several:
            yield from self.section(path, block, depth)
            return
        self.seen.add(block)
        yield from several[block](self, path, depth)


def _sizes(pages: _Pages, path: str, depth: int) -> Iterator[str]:
    for name in kinds():
        yield from pages.section(path, kind(name).sizes, depth, f"`{path}`, `problem: {name}`")


def _adapters(pages: _Pages, path: str, depth: int) -> Iterator[str]:
    yield f"{'#' * depth} `{path}`\n\nA data set. `adapter` names the file in `src/mtbalance/data/adapters`.\n"
    for name in available(ADAPTERS):
        adapter = entry(ADAPTERS, name, Dataset)
        yield from pages.section(path, adapter, depth + 1, f"`adapter: {name}`")


def _backbones(pages: _Pages, path: str, depth: int) -> Iterator[str]:
    yield f"{'#' * depth} `{path}`\n\nA backbone. `kind` names the file in a folder of `src/mtbalance/models`.\n"
    for name, package in backbone_kinds().items():
        said = declaration(package, name)
        problem = package.rpartition(".")[2]
        yield f"{'#' * (depth + 1)} `kind: {name}`\n\nFor {problem}. {sentence(said.summary)}\n"
        yield from _declared(said.options.items())


def _balancers(pages: _Pages, path: str, depth: int) -> Iterator[str]:
    yield f"{'#' * depth} `{path}`\n\nA rule at a level. Its options are those of the level, then those of the rule.\n"
    yield from _options(BalancerOptions)
    for name, level in LEVELS.items():
        yield f"{'#' * (depth + 1)} `level: {name}`\n\n{_summary(level)}\n"
        pages.seen.add(level)
        yield from _options(level, without=BalancerOptions.model_fields)
    for level in LEVELS.values():
        yield from pages.blocks_in(path, level, depth)
    for name in available(RULES):
        said = declaration(RULES, name)
        levels = ", ".join(f"`{level}`" for level in entry(RULES, name, Rule).levels)
        yield f"{'#' * (depth + 1)} `rule: {name}`\n\nAt {levels}. {sentence(said.summary)}\n"
        yield from _declared(said.options.items())


def _options(block: type[Block], without: Iterable[str] = ()) -> Iterator[str]:
    fields = {key: field for key, field in block.model_fields.items() if key not in without}
    sentences = block.sentences()
    for key, field in fields.items():
        if get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1:
            continue  # the heading has it
        default = ... if field.default is PydanticUndefined else field.default
        default = None if key in FILLED_IN.get(block, ()) else default
        yield option(key, field.annotation, field.metadata, default, sentences.get(key))


def _declared(options: Iterable[tuple[str, tuple[Any, Any]]]) -> Iterator[str]:
    found = list(options)
    for key, (annotation, default) in found:
        sentences = [part for part in getattr(annotation, "__metadata__", ()) if isinstance(part, str)]
        yield option(key, annotation, (), default, sentences[0] if sentences else None)
    if not found:
        yield "It has no options of its own.\n"


def _summary(block: type[Block]) -> str:
    return "\n\n".join(sentence(part) for part in (inspect.getdoc(block) or "").split("\n\n"))


def _blocks(annotation: Any, many: bool = False) -> Iterator[tuple[type[Block], bool]]:
    """The blocks that a type is made of, and whether each has a name."""
    if isinstance(annotation, type) and issubclass(annotation, Block):
        yield annotation, many
    for inner in get_args(annotation):
        yield from _blocks(inner, many or getattr(annotation, "__origin__", None) is dict)
