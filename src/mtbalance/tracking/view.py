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
from mtbalance.reporting.choice import score_name
from mtbalance.tracking.content import DEVIATION, FINAL, MEAN

METHODS, SEEDS = "methods", "seeds"
"""The views' ids: a row for the mean of each method; the runs of all seeds grouped by method, and tries by hand."""
TAG = "mlflow.sharedViewState."
EXPERIMENT = {
    "mlflow.experimentKind": "custom_model_development",
    "mlflow.note.content": (
        "Methods: a row for each, means over seeds. Seeds: every run. `final_test`: metrics on the test split, "
        "`final_test_sd`: their standard deviations over seeds."
    ),
}
"""Tags of every experiment: its page opens on the runs, not on traces of language models."""
NAME, NUMBER = 250, 170
"""Widths (pixels) of columns in which a run's name and a metric's name can be read."""


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
    }
    methods = [names[0], f"{DEVIATION}/{best}", *names[1:]]
    grouped = {"aggregateFunction": "average", "groupByKeys": [{"mode": "tag", "groupByData": "method"}]}
    finals = [*_parts(FINAL, record), *_parts(DEVIATION, record)]
    curves = [*_parts(record.evaluated, record), "train/loss", "train/weight", "search"]
    states = {
        METHODS: {
            "searchFilter": f"tags.kind = '{MEAN}'",
            "compareRunSections": _sections([FINAL], [DEVIATION, *finals, "cost"]),
            **_table(methods, "seeds"),
        },
        SEEDS: {
            "searchFilter": f"tags.kind != '{MEAN}'",
            "groupBy": grouped,
            "compareRunSections": _sections([FINAL, record.evaluated], [*curves, *_parts(FINAL, record), "cost"]),
            **_table(names, "seed"),
        },
    }
    return {
        f"{TAG}{name}": json.dumps(
            {"name": name.title(), "createdAt": time, "updatedAt": time, "state": json.dumps(common | state)}
        )
        for name, state in states.items()
    }


def _table(metrics: list[str], seeds: str) -> dict[str, Any]:
    widths = {_key("attributes", "Run Name"): NAME} | {_key("metrics", name): NUMBER for name in metrics}
    columns = [*widths, _key("tags", seeds), _key("attributes", "Duration")]
    return {"selectedColumns": columns, "columnOrder": columns, "columnWidths": widths}


def _columns(record: RunRecord) -> Iterator[tuple[str, bool]]:
    """Test metrics to show, and whether less is better: the score, other numbers for all tasks, each task's first."""
    shared = [name for name, value in (record.test or {}).items() if not isinstance(value, dict)]
    score = score_name(record)
    yield from ((name, False) for name in sorted(shared, key=lambda name: name != score))
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


def _parts(split: str, record: RunRecord) -> list[str]:
    return [f"{split}/{metric}" for metric in dict.fromkeys(metric for task in record.tasks for metric in task.metrics)]


def _sections(opened: list[str], folded: list[str]) -> list[dict[str, Any]]:
    """Sections of charts. MLflow puts a metric into the one that is named as all but the last part of its name."""
    facts = {"isReordered": False, "deleted": False, "isGenerated": True}
    return [{"uuid": name, "name": name, "display": name in opened} | facts for name in (*opened, *folded)]


def _key(kind: str, name: str) -> str:
    return f"{kind}.`{name}`"
