"""Read run records, and refuse those that do not belong together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mtbalance.config import RunConfig
from mtbalance.errors import UserError

Record = dict[str, Any]
Key = tuple[str, str, str, str, int]

FORMAT = 2
REMEDY = "delete the file and run the workflow again"


class RecordError(UserError):
    """Records that cannot be put into one table: stale, foreign, missing, or of different data."""


def read_records(paths: Sequence[Path], expected: Sequence[RunConfig]) -> list[Record]:
    """The records of exactly the ``expected`` runs, in their order.

    Raises :class:`RecordError` for a record of another format, of a run that is not expected or whose
    settings have changed since, for a run without a record, and for one data set with different checksums.
    """
    current = {_key_of(config): config for config in expected}
    found: dict[Key, Record] = {}
    sources: dict[str, tuple[Path, Any]] = {}
    for path in paths:
        record = json.loads(path.read_text())
        key = _checked_key(path, record, current)
        _refuse_other_data(path, record, sources)
        found[key] = record
    missing = [key for key in current if key not in found]
    if missing:
        raise RecordError(f"{len(missing)} runs have no record, the first is {missing[0]}: run the workflow again")
    return [found[key] for key in current]


def read_timings(paths: Sequence[Path], expected: Sequence[RunConfig]) -> list[Record]:
    """The timings, as they are. Raises :class:`RecordError` for one whose runs have other settings now."""
    current = {config.digest() for config in expected}
    timings = []
    for path in paths:
        timing = json.loads(path.read_text())
        stale = [name for name, digest in timing["digests"].items() if digest not in current]
        if stale:
            raise RecordError(f"{path} is stale: it timed {', '.join(stale)} with other settings; {REMEDY}")
        timings.append(timing)
    return timings


def _key_of(config: RunConfig) -> Key:
    return config.experiment, config.dataset, config.backbone.name, config.balancer.name, config.seed


def _checked_key(path: Path, record: Record, current: dict[Key, RunConfig]) -> Key:
    if record.get("format") != FORMAT:
        raise RecordError(f"{path} has format {record.get('format')!r}, not {FORMAT}; {REMEDY}")
    run = record["run"]
    key = (run["experiment"], run["dataset"], run["backbone"], run["balancer"], run["seed"])
    if key not in current:
        raise RecordError(f"{path} holds the run {key}, which params.yaml no longer has; delete the file")
    if record["digest"] != current[key].digest():
        changed = ", ".join(_changed_settings(record["config"], current[key])) or "unknown"
        raise RecordError(
            f"{path} is stale: its digest is {record['digest']}, the present settings have"
            f" {current[key].digest()} (changed: {changed}); {REMEDY}"
        )
    return key


def _changed_settings(old: Any, config: RunConfig) -> list[str]:
    before = pd.json_normalize(old).to_dict("records")[0]
    now = pd.json_normalize(config.model_dump(mode="json")).to_dict("records")[0]
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


def _refuse_other_data(path: Path, record: Record, sources: dict[str, tuple[Path, Any]]) -> None:
    dataset, checksums = record["run"]["dataset"], record["data"]["sha256"]
    first, known = sources.setdefault(dataset, (path, checksums))
    if checksums != known:
        raise RecordError(f"{path} and {first} were trained on different data under the name {dataset}; {REMEDY}")
