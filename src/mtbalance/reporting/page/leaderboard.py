"""The leaderboard: every method with its numbers, to be sorted and filtered, each row with links to its records."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import pandas as pd
from itables import to_html_datatable

from mtbalance import places
from mtbalance.reporting.answer import SIGNIFICANT
from mtbalance.reporting.comparison import compare
from mtbalance.reporting.contrasts import against_baseline
from mtbalance.reporting.names import METRICS, backbone_name, balancer_name
from mtbalance.reporting.reference_errors import Against, against
from mtbalance.reporting.references import by_kind
from mtbalance.reporting.score import SCORES, of_scores, score_of, score_titles
from mtbalance.reporting.value import METHOD, QPS, trained

REPEATED = "log_loss"
"""Not shown: it orders methods as the normalized entropy does."""
MOST_DIGITS = 4
"""Decimals of the most exact columns."""
FILTERS = ["data set", "backbone", "level"]
NONE = "none"
"""Backbone and level of a model that has neither."""


def leaderboard(frame: pd.DataFrame, baseline: str, root: str) -> pd.DataFrame:
    """A row for each data set, backbone and balancer, and for each simple model beside them.

    ``root`` is the way from the page to the project.

    The columns are the metrics of tables, each the mean over seeds, the difference of the score to the baseline with
    its interval and p, the cost of a step, and links to the records. Of experiments that are only timed, the cost is
    there alone.
    """
    tasks = frame[(frame["better"] != 0) & frame["metric"].isin(METRICS) & (frame["metric"] != REPEATED)]
    metrics = [*dict.fromkeys(tasks["metric"])]
    shown = score_titles(frame)
    cells = compare(of_scores(frame), [*SCORES, *metrics, QPS], baseline)
    of_method = dict(list(frame.groupby(METHOD, sort=False)))
    scores = frame[frame["epoch"].isna() & frame["metric"].isin(SCORES)]
    rows = []
    for key, group in cells.groupby(METHOD, sort=False):
        first, runs = group.iloc[0], of_method[key]
        row = dict(zip(FILTERS, (key[0], backbone_name(key[1]), first["level"]), strict=True))
        row["method"] = balancer_name(key[2])
        for _, cell in group.sort_values("metric", key=lambda names: ~names.isin(SCORES), kind="stable").iterrows():
            if cell["metric"] == QPS:
                row[f"step time / {balancer_name(baseline)}"] = round(1 / cell["mean"], 2) if cell["mean"] else None
            else:
                row |= _numbers(scores, cell, baseline, shown)
        row["records"] = _links(runs, root)
        rows.append(row)
    table = pd.DataFrame([*rows, *_references(frame, metrics, shown, baseline, root)])
    named = balancer_name(baseline)
    first = [*FILTERS, "method", shown, f"Δ to {named}", "low", "high", "p", f"step time / {named}"]
    known = [name for name in first if name in table]
    ordered = table[[*known, *(name for name in table if name not in (*known, "records")), "records"]]
    return ordered.sort_values(shown, ascending=False) if shown in ordered else ordered


def _references(
    frame: pd.DataFrame, metrics: list[str], score: str, baseline: str, root: str
) -> Iterator[dict[str, float | str]]:
    """The rows of models that share nothing and balance nothing; without a score if they have not all tasks.

    Their intervals are over test rows and over the seeds of the baseline.
    """
    titles = dict(frame.loc[frame["task_title"] != "", ["task", "task_title"]].drop_duplicates("task").to_numpy())
    for dataset, group in frame.groupby("dataset", sort=False):
        metric = score_of(group)
        for kind, name, own in by_kind(group):
            row: dict[str, float | str] = dict.fromkeys(FILTERS, NONE)
            row |= {FILTERS[0]: str(dataset), "method": kind}
            if (of_all := own["metric"] == metric).any():
                row[score] = round(own.loc[of_all, "value"].iloc[0], MOST_DIGITS)
            if found := against(group, name, metric, baseline, SIGNIFICANT):
                row |= _difference(found, baseline)
            for found in own[own["metric"].isin(metrics)].itertuples():
                shown = METRICS[found.metric]
                row[f"{shown.title} {titles[found.task]}"] = round(found.value * shown.factor, shown.digits)
            row["records"] = f'<a href="{root}{places.REFERENCES.format(dataset=dataset)}">record</a>'
            yield row


def _numbers(scores: pd.DataFrame, cell: pd.Series, baseline: str, title: str) -> dict[str, float | str | None]:
    """A metric's mean, and for the score the difference to the baseline. ``scores`` has the scores of all runs."""
    shown = METRICS[cell["metric"]]
    is_score = cell["metric"] in SCORES
    name = title if is_score else f"{shown.title} {cell['task_title']}".strip()
    found: dict[str, float | str | None] = {name: round(cell["mean"] * shown.factor, shown.digits)}
    if is_score and cell["balancer"] != baseline and cell["pairs"]:
        difference = against_baseline(scores, cell, baseline, SIGNIFICANT)
        found |= _difference(Against(cell["backbone"], cell["difference"], difference.low, difference.high), baseline)
        found |= {"p": float(f"{cell['p']:.2g}")}
    return found


def _difference(found: Against, baseline: str) -> dict[str, float]:
    names = (f"Δ to {balancer_name(baseline)}", "low", "high")
    numbers = (found.difference, found.low, found.high)
    return {name: round(number, MOST_DIGITS) for name, number in zip(names, numbers, strict=True)}


def _links(runs: pd.DataFrame, root: str) -> str:
    """A link to the record of each seed, or to that of the timing, if nothing was trained."""
    records = {str(seed): places.RECORD.format(**_wildcards(runs, seed)) for seed in sorted(trained(runs)["seed"])}
    shown = records or {"timing": places.TIMING.format(**_wildcards(runs, 0))}
    return " ".join(f'<a href="{root}{file}">{text}</a>' for text, file in shown.items())


def _wildcards(runs: pd.DataFrame, seed: int) -> dict[str, str]:
    row = runs.iloc[0]
    names = ("experiment", "dataset", "backbone")
    return {name: str(row[name]) for name in names} | {"balancer": str(row["variant"]), "seed": str(seed)}


def _texts(column: pd.Series) -> pd.Series:
    """A column as it is printed: its numbers with equally many decimals, nothing where there is none."""
    if not pd.api.types.is_float_dtype(column):
        return column.astype(object).where(column.notna(), "")
    digits = max(
        (len(f"{value:.{MOST_DIGITS}f}".rstrip("0").partition(".")[2]) for value in column.dropna()), default=0
    )
    return column.map(lambda value: "" if pd.isna(value) else f"{value:.{digits}f}")


def html(table: pd.DataFrame, name: str) -> str:
    """The table as a part of a page that has DataTables' script already."""
    filters = [table.columns.get_loc(column) for column in FILTERS if table[column].nunique() > 1]
    table = table.apply(_texts)
    of_texts = [name for name in table if name != "records"]  # which has links
    table = table.assign(**{name: table[name].map(escape) for name in of_texts}).rename(columns=escape)
    panes = {"columns": filters, "layout": f"columns-{max(1, len(filters))}", "initCollapsed": True}
    return str(
        to_html_datatable(
            table,
            table_id=f"leaderboard-{name}",
            connected=False,
            allow_html=True,
            showIndex=False,
            maxBytes=0,
            paging=False,
            scrollX=True,
            classes="display compact nowrap",
            layout={"top1": "searchPanes"} if filters else {},
            searchPanes=panes,
        )
    )
