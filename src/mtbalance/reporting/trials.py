"""trials: one table of all trials of a tuned experiment, with a row for each run, and which of them were chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mtbalance.config.run import RunConfig
from mtbalance.config.tuning import Trial
from mtbalance.records.run import RunRecord
from mtbalance.reporting.choice import choose, held_out_score, named, score_name, valid_score
from mtbalance.reporting.collect import OF_RUN, in_order
from mtbalance.reporting.collected import write_collected
from mtbalance.reporting.identity import identity_of
from mtbalance.reporting.reading import read_records

OWN = {"chosen": "bool", "best_epoch": "int64", "score": "string", "valid": "float64", "test": "float64"}
"""``valid`` and ``test`` are the score by which epochs are chosen, on these splits, and ``score`` is its name. It is
missing for a diverged run."""


def collect_trials(
    records: Sequence[Path], expected: Sequence[RunConfig], trials: Mapping[str, Trial], output: Path
) -> None:
    """Write one row for each run of a tuned experiment to a Parquet file, in the order of tables.

    Raises :class:`~mtbalance.records.RecordError` for records that are stale or do not belong together.
    """
    found = read_records(records, in_order(expected))
    chosen = {id(record) for record in choose(found, trials)}
    rows = [_row(record, trials, id(record) in chosen) for record in found]
    types = OF_RUN | OWN
    write_collected(output, pd.DataFrame(rows, columns=list(types)).astype(types))


def _row(record: RunRecord, trials: Mapping[str, Trial], chosen: bool) -> dict[str, Any]:
    scores = {"score": score_name(record), "valid": valid_score(record), "test": held_out_score(record)}
    return named(identity_of(record), trials) | scores | {"chosen": chosen, "best_epoch": record.best_epoch}
