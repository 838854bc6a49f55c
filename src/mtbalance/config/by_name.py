"""A run by its name, as a person writes it: ``demo/mmoe/pub/0``, with some keys of its configuration replaced."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from mtbalance import places
from mtbalance.config.parameters import Parameters
from mtbalance.config.reading import ParametersError
from mtbalance.config.run import RunConfig
from mtbalance.config.variants import parsed, replaced
from mtbalance.faults import fault_lines
from mtbalance.registry import unknown

FORM = (
    "EXPERIMENT/BACKBONE/BALANCER/SEED, or EXPERIMENT/DATASET/BACKBONE/BALANCER/SEED where there are several data sets"
)
CHOSEN = ("backbone", "balancer")
"""Blocks whose options are one level deeper in a run's configuration than in ``params.yaml``."""

ALONE = ("training", "balancer.options")
"""Blocks of a run's configuration whose keys may stand alone, as in a variant's name."""


def run_named(parameters: Parameters, name: str, changes: Sequence[str] = ()) -> RunConfig:
    """The run of that name. ``changes`` are ``key=value``, with the path of the key: ``balancer.every=5``,
    ``training.optimizer.lr=0.003``, ``model.embedding=16``.

    A key of ``training`` or of the balancer's options may stand alone, as a variant has it: ``optimizer.lr=0.003``,
    ``every=5``. The balancer may be a variant, and any seed will do. Raises
    :class:`~mtbalance.config.reading.ParametersError`, which names the part or the key that is wrong.
    """
    run = _unchanged(parameters, name)
    raw = run.model_dump(mode="json")
    changed = dict(_change(text, raw) for text in changes)
    raw["balancer"]["options"] = run.balancer.options.model_dump(mode="json", exclude_unset=True)  # a rule may change
    raw = replaced(raw, changed)
    try:
        return RunConfig.model_validate(raw)
    except ValidationError as error:
        raise ParametersError(_as_typed("\n".join(fault_lines(error, raw)))) from None


def record_of_try(run: RunConfig, changes: Sequence[str] = ()) -> Path:
    """Where the record of a run by hand goes: a file for each set of changes, which its name has as they were read."""
    cell, raw = places.CELL.format(**run.wildcards), run.model_dump(mode="json")
    values = {path: reduce(getitem, path.split("."), raw) for path, _ in (_change(text, raw) for text in changes)}
    texts = [f"{_as_typed(key)}={each if isinstance(each, str) else json.dumps(each)}" for key, each in values.items()]
    name = "+".join([cell, *(re.sub(r"[^\w.=-]+", "_", text) for text in sorted(texts))])
    return Path(places.TRIED, f"{name}.json")


def changes_of_try(record: Path, cell: Mapping[str, str]) -> str | None:
    """What a run by hand changed, as the name of its record has it; None if the record is the workflow's.

    ``cell`` is the run's place in the grid. A record elsewhere that has another name is told by that name.
    """
    if f"/{record.as_posix()}".endswith(f"/{places.RECORD.format(**cell)}"):
        return None
    return record.stem.removeprefix(f"seed-{cell['seed']}").replace("+", " ").strip()


def alone(path: str) -> str:
    """A path in a run's configuration as a change may have it: without a block whose keys may stand alone."""
    return next((path.removeprefix(f"{place}.") for place in ALONE if path.startswith(f"{place}.")), path)


def _unchanged(parameters: Parameters, name: str) -> RunConfig:
    parts = name.split("/")
    known = _checked("experiment", parts[0], parameters.experiments)
    datasets = parameters.experiments[known].datasets
    if len(parts) == 4 and len(datasets) == 1:
        parts.insert(1, datasets[0])
    if len(parts) != 5 or not parts[4].isdecimal():
        raise ParametersError(f"{name} is not the name of a run: it is {FORM}")
    _, dataset, backbone, balancer, seed = parts
    _checked("data set", dataset, datasets)
    _checked("backbone", backbone, parameters.backbones)
    try:
        _checked("balancer", parsed(balancer).balancer, parameters.balancers)
    except ValueError as error:
        raise ParametersError(str(error)) from None
    return parameters.run(known, dataset, backbone, balancer, int(seed))


def _checked(what: str, name: str, known: Any) -> str:
    if name not in known:
        raise ParametersError(unknown(what, name, list(known)))
    return name


def _as_typed(text: str) -> str:
    """Lines that begin with a path in a run's configuration, with that path as a change has it."""
    return re.sub(rf"^({'|'.join(CHOSEN)})\.options\.", r"\1.", text, flags=re.MULTILINE)


def _change(text: str, raw: Mapping[str, Any]) -> tuple[str, Any]:
    """The path in a run's configuration, which is ``raw``, and the value."""
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise ParametersError(f"{text!r} is not key=value, such as balancer.every=5")
    block, dot, rest = key.partition(".")
    if block in CHOSEN and dot:
        key = f"{block}.options.{rest}"
    elif block not in raw:
        within = (place for place in ALONE if block in reduce(getitem, place.split("."), raw))
        key = next((f"{place}.{key}" for place in within), key)
    return key, yaml.safe_load(value)
