"""Variants: a balancer of ``params.yaml`` with some options replaced, as an experiment's grid names it.

``pub@rescale=sum_to_1,every=1`` is the balancer ``pub`` with two other options. A key of ``training`` replaces the
experiment's: ``ls@optimizer.lr=0.006``. The whole text is the variant's name, in paths, records and tables.
Its values have the signs of a name (:mod:`mtbalance.config.names`) and ``+ , [ ]``, no others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, NamedTuple

import yaml
from pydantic import AfterValidator

from mtbalance.config.names import checked_name
from mtbalance.config.training import TrainingConfig
from mtbalance.errors import quoted

SIGN = "@"
FORM = f"name{SIGN}key=value,key=value"
OPTION = re.compile(r"([A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*)=((?:[A-Za-z0-9_+,[\]-]|\.(?!\.))+)")


class Variant(NamedTuple):
    """A variant's name, taken apart."""

    balancer: str
    """The balancer's name in ``params.yaml``."""
    options: dict[str, Any]
    """Options of the balancer, by their path with dots."""
    training: dict[str, Any]
    """Options of the experiment's training, by their path with dots."""


@cache
def parsed(name: str) -> Variant:
    """Take a name apart; the name of a plain balancer has no options. Raises ``ValueError`` for another form."""
    balancer, sign, text = name.partition(SIGN)
    found: dict[str, Any] = {}
    for part in re.split(r",(?=[\w.]+=)", text) if sign else ():
        option = OPTION.fullmatch(part)
        if option is None or option[1] in found:
            raise ValueError(f"{quoted(part)} is not key=value with a key of its own; a variant is written {FORM}")
        try:
            found[option[1]] = yaml.safe_load(option[2])
        except (yaml.YAMLError, RecursionError):
            raise ValueError(f"{quoted(part)}: the value cannot be read as YAML") from None
    training = {key: value for key, value in found.items() if key.partition(".")[0] in TrainingConfig.model_fields}
    return Variant(balancer, {key: value for key, value in found.items() if key not in training}, training)


def _checked(name: str) -> str:
    checked_name(parsed(name).balancer)
    return name


Method = Annotated[str, AfterValidator(_checked)]
"""The name of a balancer, or of a variant of one."""


def written(name: str, options: Mapping[str, Any]) -> str:
    """The name of a variant of ``name``, which is a balancer or itself a variant, with more options replaced."""
    texts = [f"{key}={yaml.safe_dump(value).splitlines()[0]}" for key, value in options.items()]
    return f"{name}{',' if SIGN in name else SIGN}{','.join(texts)}"


def replaced(block: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a block with the values at these paths replaced; a path has dots between the keys of nested blocks."""
    copy = dict(block)
    for path, value in options.items():
        key, _, rest = path.partition(".")
        inner = copy.get(key)
        copy[key] = replaced(inner if isinstance(inner, Mapping) else {}, {rest: value}) if rest else value
    return copy


def flat(block: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """The values of nested blocks with their paths, as :func:`replaced` takes them."""
    for key, value in block.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value
