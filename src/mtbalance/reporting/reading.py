"""Read the records of an experiment, and refuse those that do not belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mtbalance.config.run import RunConfig
from mtbalance.records import RERUN, RecordError, RunRecord, TimingRecord, read_run, read_timing

Key = tuple[str, str, str, str, int]
"""Experiment, data set, backbone, balancer and seed."""


def read_records(paths: Sequence[Path], expected: Sequence[RunConfig]) -> list[RunRecord]:
    """The records of exactly the ``expected`` runs, in their order.

    Raises :class:`~mtbalance.records.RecordError` for a file that is no record of this version, for the record of a run
    that is not expected or whose settings have changed since, for a run with two records or none, and for one data set
    with different checksums.
    """
    current = {_key_of(config): config for config in expected}
    found: dict[Key, RunRecord] = {}
    places: dict[Key, Path] = {}
    first: dict[str, tuple[Path, Mapping[str, str]]] = {}
    for path in paths:
        record = read_run(path)
        key = _checked_key(path, record, current)
        if key in places:
            raise RecordError(f"{path} and {places[key]} hold the same run {key}: one is a copy")
        places[key] = path
        _refuse_other_data(path, record, first)
        found[key] = record
    missing = [key for key in current if key not in found]
    if missing:
        raise RecordError(f"{len(missing)} runs have no record, the first is {missing[0]}", RERUN)
    return [found[key] for key in current]


def read_timings(paths: Sequence[Path], expected: Sequence[RunConfig]) -> list[TimingRecord]:
    """The timing records. Raises :class:`~mtbalance.records.RecordError` for one whose runs have other settings now."""
    current = {config.digest() for config in expected}
    timings = []
    for path in paths:
        timing = read_timing(path)
        stale = [name for name, digest in timing.digests.items() if digest not in current]
        if stale:
            raise RecordError(f"{path} is stale: it timed {', '.join(stale)} with other settings")
        timings.append(timing)
    return timings


def _key_of(config: RunConfig) -> Key:
    return config.experiment, config.dataset, config.backbone.name, config.balancer.name, config.seed


def _checked_key(path: Path, record: RunRecord, current: Mapping[Key, RunConfig]) -> Key:
    run = record.run
    key = (run.experiment, run.dataset, run.backbone, run.balancer, run.seed)
    if key not in current:
        raise RecordError(f"{path} holds the run {key}, which params.yaml no longer has", "delete the file")
    if record.digest != current[key].digest():
        changed = ", ".join(_changed_settings(record.config, current[key])) or "unknown"
        raise RecordError(
            f"{path} is stale: its digest is {record.digest}, the present settings have"
            f" {current[key].digest()} (changed: {changed})"
        )
    return key


def _changed_settings(old: dict[str, Any], config: RunConfig) -> list[str]:
    before = pd.json_normalize(old).to_dict("records")[0]
    now = pd.json_normalize(config.model_dump(mode="json")).to_dict("records")[0]
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


def _refuse_other_data(path: Path, record: RunRecord, first: dict[str, tuple[Path, Mapping[str, str]]]) -> None:
    dataset, checksums = record.run.dataset, record.data.sha256
    other, known = first.setdefault(dataset, (path, checksums))
    if checksums != known:
        raise RecordError(f"{path} and {other} were trained on different data under the name {dataset}")
