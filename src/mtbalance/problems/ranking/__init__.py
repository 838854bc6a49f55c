"""Ranking: binary labels from the categorical and numerical columns of a table."""

from __future__ import annotations

from mtbalance.config.kinds import ProblemKind
from mtbalance.data.ranking.schema import SPLITS
from mtbalance.models.ranking._options import RankingSizes


class Ranking(ProblemKind):
    """Rows of ids and numbers, with a label for each task. The best epoch is the one of the highest mean AUC."""

    splits = SPLITS
    sizes = RankingSizes
    models = "mtbalance.models.ranking"
    score = "mean_auc"
    tables = ("mtbalance.reporting.tables.common", "mtbalance.reporting.tables.ranking")
    figures = ("mtbalance.reporting.figures.common", "mtbalance.reporting.figures.ranking")
    default_tables = ("auc", "ne")
    default_figures = ("auc", "seesaw", "curves", "weights", "speed")
