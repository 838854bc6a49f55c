"""Provenance: the code, the data, the software and the machine that the numbers of an experiment come from."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from mtbalance.records import RunRecord, TimingRecord


def provenance(records: Sequence[RunRecord | TimingRecord]) -> pd.DataFrame:
    """A line for each fact, with its values over all records; several values are several lines."""
    facts: dict[tuple[str, str], int] = {}
    for record in records:
        for fact in _facts(record):
            facts[fact] = facts.get(fact, 0) + 1
    rows = [(what, value, f"{count} of {len(records)}") for (what, value), count in facts.items()]
    return pd.DataFrame(rows, columns=["what", "value", "records"])


def _facts(record: RunRecord | TimingRecord) -> list[tuple[str, str]]:
    machine = record.environment.model_dump()
    software = [(name, str(machine[name])) for name in machine if machine[name] is not None]
    if isinstance(record, TimingRecord):
        return software
    data = [
        (f"{record.run.dataset}, {split}: rows, SHA-256", f"{record.data.rows[split]:,}, {checksum}")
        for split, checksum in record.data.sha256.items()
    ]
    return [*software, ("code of the run (SHA-256)", record.code), *data]
