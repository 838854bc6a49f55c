"""The score: the number for all tasks together by which epochs and trials are chosen, and its printed name."""

from __future__ import annotations

import pandas as pd

AUC = "mean AUC"
SCORES = ("mean_auc", "mean_score")
"""The metrics that are scores."""


def score_of(frame: pd.DataFrame) -> str:
    """The metric that is the score of the runs in a collected table: ``mean_score`` if one of them has a regression."""
    return "mean_score" if (frame["metric"] == "mean_score").any() else "mean_auc"


def of_scores(frame: pd.DataFrame) -> pd.DataFrame:
    """A collected table with one of :data:`SCORES` for each data set: its own."""
    others = [name for name, own in frame.groupby("dataset", sort=False) if score_of(own) != SCORES[0]]
    return frame[~((frame["metric"] == SCORES[0]) & frame["dataset"].isin(others))]


def score_title(frame: pd.DataFrame) -> str:
    """The printed name of the score of a data set's runs, from a collected table, or one of trials or calibrations."""
    if "score" in frame:
        return AUC if frame["score"].iloc[0] == "mean_auc" else "mean of AUC and R²"
    if score_of(frame) == "mean_auc":
        return AUC
    return "mean of AUC and R²" if (frame["metric"] == "mean_auc").any() else "mean R²"


def score_titles(frame: pd.DataFrame) -> str:
    """The printed names of the scores of all data sets of a table."""
    own = [group for _, group in frame.groupby("dataset", sort=False)] if "dataset" in frame else [frame]
    return " or ".join(dict.fromkeys(map(score_title, own)))
