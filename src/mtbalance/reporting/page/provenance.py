"""Provenance: the code, the data, the software and the machine that the numbers of an experiment come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import pandas as pd

from mtbalance.records import RunRecord, TimingRecord
from mtbalance.reporting.names import backbone_name, balancer_name

Fact = tuple[str, str]
"""What it is, and its value."""


def provenance(records: Sequence[RunRecord | TimingRecord]) -> pd.DataFrame:
    """A line for each fact, with its values over all records; several values are several lines.

    The machine and its software come first, then the data, and then the code that each method's runs used.
    """
    runs = [record for record in records if isinstance(record, RunRecord)]
    facts = Counter(fact for record in records for fact in _machine(record))
    facts.update(fact for run in runs for fact in _data(run))
    facts.update((f"code of {_method(run)} (SHA-256)", run.code) for run in runs)
    rows = [(what, value, f"{count} of {len(records)}") for (what, value), count in facts.items()]
    return pd.DataFrame(rows, columns=["what", "value", "records"])


def _machine(record: RunRecord | TimingRecord) -> Iterator[Fact]:
    for name, value in record.environment.model_dump().items():
        if value is not None:
            yield name, str(value)


def _data(run: RunRecord) -> Iterator[Fact]:
    for split, checksum in run.data.sha256.items():
        yield f"{run.run.dataset}, {split}: rows, SHA-256", f"{run.data.rows[split]:,}, {checksum}"


def _method(run: RunRecord) -> str:
    return f"{balancer_name(run.run.balancer)} on {backbone_name(run.run.backbone)}"
