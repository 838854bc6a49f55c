"""How often the smaller Diff goes with the higher AUC: the confusion matrix of the PUB paper's Figure 2."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from mtbalance.reporting.drawing import title
from mtbalance.reporting.names import data_named
from mtbalance.reporting.pairs import FEW, READINGS, method_means, pair_tests
from mtbalance.reporting.value import GROUP


def draw(frame: pd.DataFrame, heading: str, baseline: str) -> Figure:
    """Draw a matrix for each reading of Diff: ordered pairs of methods, counted as the paper counts them."""
    means = method_means(frame)
    groups = len(means[GROUP].drop_duplicates())
    figure = Figure(figsize=(7.6, 4.7), layout="constrained")
    title(figure, f"{heading}: pairs of methods by AUC and Diff\n{data_named(frame)}", frame)
    for axes, (reading, name) in zip(figure.subplots(1, 2), READINGS.items(), strict=True):
        tests = pair_tests(means, reading)
        axes.imshow(tests.counts, cmap="Blues", vmin=0, vmax=tests.counts.sum() / 2)
        for (row, column), count in [((i, j), tests.counts[i, j]) for i in (0, 1) for j in (0, 1)]:
            share = count / tests.counts.sum()
            color = "white" if share > 0.3 else "black"
            axes.text(column, row, f"{count}\n{share:.1%}", ha="center", va="center", color=color, fontsize=11)
        axes.set_xticks([0, 1], ["lower", "not lower"])
        axes.set_yticks([0, 1], ["lower", "not lower"], rotation=90, va="center")
        axes.set_xlabel("Diff of method i against method j")
        axes.set_ylabel("AUC of method i against method j")
        axes.grid(visible=False)
        reverse = f"smaller Diff, higher AUC: {tests.reverse} of {tests.pairs} pairs = {tests.share:.1%}"
        short = ": too short" if groups < FEW else ""
        interval = f"95 % interval {tests.low:.1%} to {tests.high:.1%} ({groups} groups{short})"
        axes.set_title("\n".join([name, reverse, *([] if pd.isna(tests.low) else [interval])]), fontsize=9)
    return figure
