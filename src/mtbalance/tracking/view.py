"""The views of an experiment in MLflow's pages: columns, order and charts.

MLflow 3.17 keeps a saved view in the experiment's tag ``mlflow.sharedViewState.ID``. It lists the views under "Views",
and opens the one that the address names as ``viewStateShareKey``. A version that does not know them shows its own
columns.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from mtbalance.records.run import RunRecord
from mtbalance.tracking.content import DEVIATION, FINAL

METHODS, SEEDS = "methods", "seeds"
"""The views' ids: a row for the mean of each method, and the runs of all seeds grouped by method."""
TAG = "mlflow.sharedViewState."
EXPERIMENT = {
    "mlflow.experimentKind": "custom_model_development",
    "mlflow.note.content": (
        "The view *Methods* has a row for each method, with means over seeds; *Seeds* has every run. `final_test` are "
        "metrics on the test split, `final_test_sd` their standard deviations over seeds."
    ),
}
"""Tags of every experiment: its page opens on the runs, not on traces of language models."""
OPEN, CLOSED = (FINAL, "valid", "test"), ("train", "search", DEVIATION, "cost")
"""Sections of charts, by the first part of their metrics' names: unfolded and folded."""
WIDE = 190
"""Width (pixels) of a column in which the name of a metric or a method can be read."""


def address(origin: str, experiment: str, view: str | None) -> str:
    """The address of an experiment's runs, in one of its views."""
    chosen = f"&viewStateShareKey={view}" if view else ""
    return f"{origin}/#/experiments/{experiment}/runs?workflowType=machine_learning{chosen}"


def views(record: RunRecord, time: int) -> dict[str, str]:
    """Tags with the views of the experiment that ``record`` belongs to; ``time`` (ms since 1970) orders them."""
    metrics = list(_columns(record))
    best, ascending = metrics[0]
    names = [f"{FINAL}/{name}" for name, _ in metrics]
    common = {
        "orderByKey": _key("metrics", names[0]),
        "orderByAsc": ascending,
        "runsHiddenMode": "SHOW_ALL",
        "compareRunCharts": [*_bars(names), *_seesaw(record)],
        "isAccordionReordered": True,
        "compareRunSections": [_section(name, name in OPEN) for name in (*OPEN, *CLOSED)],
    }
    methods = [names[0], f"{DEVIATION}/{best}", *names[1:]]
    grouped = {"aggregateFunction": "average", "groupByKeys": [{"mode": "tag", "groupByData": "method"}]}
    states = {
        METHODS: {"searchFilter": "tags.kind = 'mean'"} | _table([_key("metrics", name) for name in methods], "seeds"),
        SEEDS: {"searchFilter": "tags.kind = 'run'", "groupBy": grouped}
        | _table([_key("metrics", name) for name in names], "seed"),
    }
    return {
        f"{TAG}{name}": json.dumps(
            {"name": name.title(), "createdAt": time, "updatedAt": time, "state": json.dumps(common | state)}
        )
        for name, state in states.items()
    }


def _table(metrics: list[str], seeds: str) -> dict[str, Any]:
    columns = [_key("attributes", "Run Name"), *metrics, _key("tags", seeds), _key("attributes", "Duration")]
    return {"selectedColumns": columns, "columnOrder": columns, "columnWidths": dict.fromkeys(columns[:-2], WIDE)}


def _columns(record: RunRecord) -> Iterator[tuple[str, bool]]:
    """Test metrics to show, and whether less is better: numbers for all tasks together, each task's first metric."""
    shared = [name for name, value in (record.test or {}).items() if not isinstance(value, dict)]
    yield from ((name, False) for name in shared)
    for task in record.tasks:
        metric, sign = next(iter(task.metrics.items()))
        yield f"{metric}/{task.name}", sign < 0


def _bars(metrics: Iterable[str]) -> Iterator[dict[str, Any]]:
    yield from (_chart(name, "BAR", metricKey=name) for name in metrics)


def _seesaw(record: RunRecord) -> Iterator[dict[str, Any]]:
    """The first two tasks against each other: a method that gains on one at the cost of the other shows here."""
    metrics = [f"{FINAL}/{next(iter(task.metrics))}/{task.name}" for task in record.tasks[:2]]
    if len(metrics) == 2:
        axes = [{"key": metric, "type": "METRIC"} for metric in metrics]
        yield _chart("seesaw", "SCATTER", xaxis=axes[0], yaxis=axes[1])


def _chart(name: str, kind: str, **content: object) -> dict[str, Any]:
    facts = {"uuid": name, "type": kind, "displayName": name, "metricSectionId": FINAL, "runsCountToCompare": 100}
    return facts | {"deleted": False, "isGenerated": True} | content


def _section(name: str, shown: bool) -> dict[str, object]:
    return {"uuid": name, "name": name, "display": shown, "isReordered": False, "deleted": False, "isGenerated": True}


def _key(kind: str, name: str) -> str:
    return f"{kind}.`{name}`"
