"""Ranking: binary labels and numbers from the categorical and numerical columns of a table."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from mtbalance.config.kinds import ProblemKind
from mtbalance.data.ranking.schema import SPLITS
from mtbalance.models.ranking._options import RankingSizes


class Ranking(ProblemKind):
    """Rows of ids and numbers, with a label for each task.

    The best epoch is the one of the highest mean AUC. If a task is a regression, it is the one of the highest mean
    score: the mean over tasks of the AUC of a binary task and of the R^2 of a regression. Both are 1 at best. By chance
    AUC is 0.5; R^2 is 0 and has no lower bound, so that a regression that fails outweighs the other tasks. Separate
    models of the tasks have a best epoch each, by their own AUC or R^2.
    """

    splits = SPLITS
    sizes = RankingSizes
    models = "mtbalance.models.ranking"
    score = "mean_auc"
    tables = ("mtbalance.reporting.tables.common", "mtbalance.reporting.tables.ranking")
    figures = ("mtbalance.reporting.figures.common", "mtbalance.reporting.figures.ranking")
    default_tables = ("auc", "ne")
    default_figures = ("auc", "seesaw", "curves", "weights", "speed")

    @classmethod
    def score_of(cls, metrics: Collection[str]) -> str:
        """``mean_auc``, or ``mean_score`` if there is a regression."""
        return "mean_score" if "r2" in metrics else cls.score

    @classmethod
    def own_score_of(cls, metrics: Collection[str]) -> str:
        """AUC, or R^2 of a regression."""
        return "r2" if "r2" in metrics else "auc"

    @classmethod
    def shared_bytes(cls, folder: Path) -> int:
        """Those of decoded rows of large splits."""
        from mtbalance.data.ranking.decoded import bytes_to_come

        return bytes_to_come(folder)
