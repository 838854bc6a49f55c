"""The score: the number for all tasks together by which epochs and trials are chosen, and its printed name."""

from __future__ import annotations

import pandas as pd

TITLES = {"mean_auc": "mean AUC", "mean_score": "mean of AUC and R²"}


def score_of(frame: pd.DataFrame) -> str:
    """The metric that is the score of the runs in a collected table: ``mean_score`` if one of them has a regression."""
    return "mean_score" if (frame["metric"] == "mean_score").any() else "mean_auc"


def score_titles(frame: pd.DataFrame) -> str:
    """The printed names of the scores of a collected table, or of a table of trials."""
    if "score" in frame:
        names = list(frame["score"])
    else:
        names = [score_of(own) for _, own in frame.groupby("dataset", sort=False)]
    return " and ".join(dict.fromkeys(TITLES[name] for name in names))
