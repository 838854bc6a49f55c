"""Evidence: all that a preset made and that claims are checked against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from mtbalance import places
from mtbalance.config.run import RunConfig
from mtbalance.records import RecordError
from mtbalance.reporting.collected import read_collected
from mtbalance.reporting.comparison import by_seed
from mtbalance.reporting.cosines import diffs
from mtbalance.reporting.derived import with_scores
from mtbalance.reporting.names import SETTINGS, is_single_task
from mtbalance.reporting.printed import Printed
from mtbalance.reporting.statistics import BySeed
from mtbalance.reporting.value import GROUP, RUN

NAMED_RUN = ["experiment", *RUN]
NAMED_GROUP = ["experiment", *GROUP]
PLACE = [*NAMED_GROUP, "task"]


class Place(NamedTuple):
    """Where methods are compared."""

    experiment: str
    dataset: str
    backbone: str
    task: str


class Cell(NamedTuple):
    """One metric of one method at one place."""

    values: BySeed
    """Of the finished runs."""
    better: int
    """1 or -1: the direction of the metric; 0 if it has none."""
    synthetic: bool
    shares: bool
    """True if the model's tasks share parameters."""
    alone: bool
    """True for single-task learning."""
    failed: int
    """Runs that did not finish."""

    @property
    def numbers(self) -> tuple[tuple[int, float], ...]:
        """Seeds with their values. Cells with the same ones are the same runs, in whatever experiment they stand."""
        return tuple(sorted(self.values.items()))


@dataclass(frozen=True)
class Evidence:
    """Collected metrics of all experiments, markets and the toy problem's table; the latter two may be empty."""

    metrics: pd.DataFrame
    printed: Printed
    market: pd.DataFrame = field(default_factory=pd.DataFrame)
    toy: pd.DataFrame = field(default_factory=pd.DataFrame)
    baseline: str = "ls"
    level: float = 0.05
    """The largest p that counts."""

    @cached_property
    def final(self) -> pd.DataFrame:
        """The numbers of whole runs, with delta-m of scenes and Diff (:func:`with_diff`)."""
        rows = self.metrics[self.metrics["epoch"].isna()]
        parts = [with_diff(with_scores(part)) for _, part in rows.groupby("experiment", sort=False)]
        return pd.concat(parts, ignore_index=True) if parts else rows

    @cached_property
    def cells(self) -> dict[str, dict[Place, dict[str, Cell]]]:
        """The cells of :attr:`final` by metric, place and method."""
        rows = self.final.assign(method=self.final["balancer"].str.removesuffix(SETTINGS))
        found: dict[str, dict[Place, dict[str, Cell]]] = {}
        for (metric, *place, method), group in rows.groupby(["metric", *PLACE, "method"], sort=False):
            first = group.iloc[0]
            found.setdefault(metric, {}).setdefault(Place(*place), {})[method] = Cell(
                values=by_seed(group),
                better=int(first["better"]),
                synthetic=bool(first["synthetic"]),
                shares=bool(first["shares"]),
                alone=is_single_task(first),
                failed=int((group["status"] != "finished").sum()),
            )
        return found


def with_diff(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with a further row ``diff`` for each run whose steps were measured.

    Diff is \\|cos_task - cos_shared\\|, the plainer reading of the PUB paper's equation (1), whose formula is lost.
    """
    cosines = {name: frame[frame["metric"] == f"cosine_{name}"] for name in ("task_specific", "shared")}
    both = cosines["shared"].merge(
        cosines["task_specific"][[*NAMED_RUN, "value"]], on=NAMED_RUN, suffixes=("", "_task")
    )
    rows = both.assign(metric="diff", value=diffs(both["value_task"], both["value"])["diff"])[frame.columns]
    return pd.concat([frame, rows.astype(frame.dtypes)], ignore_index=True)


def read_metrics(
    paths: Sequence[Path],
    expected: Sequence[RunConfig],
    timed: Sequence[RunConfig] = (),
    methods: Mapping[tuple[str, str], str] | None = None,
) -> pd.DataFrame:
    """The collected metrics of the ``expected`` runs, and of those that were only ``timed``.

    ``methods`` says by experiment and variant which method a trial is of, in tuned experiments. There one trial of each
    method has rows. Raises :class:`~mtbalance.records.RecordError` for a run without rows, and for rows
    of another run or of other settings.
    """
    frame = pd.concat([read_collected(path) for path in paths], ignore_index=True)
    found = frame[[*NAMED_RUN, "digest"]].drop_duplicates()
    digests = {config.digest() for config in (*expected, *timed)}
    stale = found[~found["digest"].isin(digests)].astype(str)
    if len(stale):
        run = stale.iloc[0]
        file = places.METRICS.format(experiment=run["experiment"])
        raise RecordError(f"{file} is stale: it has the run {'/'.join(run[NAMED_RUN])} with other settings")
    known = set(map("/".join, found[NAMED_RUN].astype(str).to_numpy()))
    missing = [run for run in dict.fromkeys(_name(config, methods or {}) for config in expected) if run not in known]
    if missing:
        file, name = places.METRICS.format(experiment=missing[0].partition("/")[0]), missing[0]
        raise RecordError(f"{file} has no rows of {len(missing)} runs, the first is {name}")
    return frame


def _name(config: RunConfig, methods: Mapping[tuple[str, str], str]) -> str:
    """The columns :data:`NAMED_RUN` of a run as text, with the method for its trial."""
    run = config.wildcards
    run["balancer"] = methods.get((run["experiment"], run["balancer"]), run["balancer"])
    return "/".join(str(run[key]) for key in NAMED_RUN)
