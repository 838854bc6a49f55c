"""Tries: runs by hand beside the workflow's runs of the same method and seed; what was changed, and what it did."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rich import box
from rich.table import Table

from mtbalance import places
from mtbalance.config.by_name import alone, changes_of_try
from mtbalance.config.variants import flat
from mtbalance.records import RecordError, RunRecord, read_run
from mtbalance.records.headline import headline
from mtbalance.reporting.formats import decimal, signed

DIGITS = 4
ABSENT = object()


class Try(NamedTuple):
    """A run by hand."""

    record: RunRecord
    changes: dict[str, Any]
    """What it changed, by the path of the key: against the workflow's run, or as its file's name has it."""
    workflow: RunRecord | None
    """The workflow's run of the same method and seed, if there is one."""

    def differences(self) -> dict[str, float]:
        """By how much its numbers differ from the workflow's."""
        if not self.workflow or self.workflow.test is None or self.record.test is None:
            return {}
        theirs = headline(self.workflow.test)
        return {name: value - theirs[name] for name, value in headline(self.record.test).items() if name in theirs}


def try_of(record: RunRecord, path: Path) -> Try:
    """The try of a record, which is in the file ``path``. A broken record of the workflow's run is as none."""
    cell = record.run.model_dump()
    try:
        workflow = read_run(Path(places.RECORD.format(**cell)))
    except RecordError:
        return Try(record, {changes_of_try(path, cell) or "": ABSENT}, None)
    return Try(record, changed(record.config, workflow.config), workflow)


def changed(config: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The values of ``config`` that ``other`` does not have, by the paths of their keys."""
    theirs = dict(flat(other))
    return {alone(path): value for path, value in flat(config) if theirs.get(path, ABSENT) != value}


def beside(record: RunRecord, path: Path) -> str:
    """The differences of a try, as the end of a sentence; empty if there are none."""
    texts = [f"{name} {signed(value, DIGITS)}" for name, value in try_of(record, path).differences().items()]
    return f"; beside the workflow's run: {', '.join(texts)} (all tries: mtbalance tries)" if texts else ""


def tables(tries: Iterable[Try]) -> Iterator[Table]:
    """A table for each experiment and data set."""
    groups: dict[tuple[str, str], list[Try]] = {}
    for one in tries:
        groups.setdefault((one.record.run.experiment, one.record.run.dataset), []).append(one)
    for (experiment, dataset), of_it in groups.items():
        title = f"{experiment}, {dataset}: tries (and their differences to the workflow's run of the same seed)"
        table = Table(title=title, title_justify="left", box=box.SIMPLE)
        table.add_column("run")
        table.add_column("changed", overflow="fold")
        names = list(dict.fromkeys(name for one in of_it for name in headline(one.record.test or {})))
        for name in names:
            table.add_column(name, justify="right")
        for one in of_it:
            run = one.record.run
            table.add_row(f"{run.backbone}/{run.balancer}/{run.seed}", said(one), *_cells(one, names))
        yield table


def said(one: Try) -> str:
    """What a try changed, in words."""
    texts = [key if value is ABSENT else f"{key}={json.dumps(value)}" for key, value in one.changes.items()]
    return " ".join(texts) or "nothing"


def _cells(one: Try, names: Iterable[str]) -> Iterator[str]:
    if one.record.test is None:
        yield one.record.status
        return
    own, differences = headline(one.record.test), one.differences()
    for name in names:
        text = decimal(own[name], DIGITS) if name in own else ""
        yield f"{text} ({signed(differences[name], DIGITS)})" if name in differences else text
