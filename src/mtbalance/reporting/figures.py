"""The figures of an experiment, each as PNG and PDF."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

from mtbalance.reporting.drawing import FONTS, save
from mtbalance.reporting.figure_auc import auc_figure
from mtbalance.reporting.figure_curves import curves_figure
from mtbalance.reporting.figure_levels import levels_figure
from mtbalance.reporting.figure_scenes import scenes_figure
from mtbalance.reporting.figure_weights import weights_figure

FIGURES: dict[str, Callable[[pd.DataFrame, str, str], Figure]] = {
    "auc": auc_figure,
    "curves": curves_figure,
    "weights": weights_figure,
    "levels": levels_figure,
    "scenes": scenes_figure,
}
"""``auc``: differences to the baseline; ``curves``: mean AUC by epoch; ``weights``: task weights by epoch;
``levels``: differences by level, a line a rule; ``scenes``: a metric of every task by epoch."""


def write_figure(name: str, metrics: Path, stem: Path, *, title: str, baseline: str = "ls") -> None:
    """Write ``stem`` .png and .pdf: figure ``name`` of :data:`FIGURES` from a collected Parquet file."""
    # Fonts count when axes are made, so drawing stands under them too; nothing global is changed.
    with matplotlib.rc_context(FONTS):
        save(FIGURES[name](pd.read_parquet(metrics), title, baseline), stem)
