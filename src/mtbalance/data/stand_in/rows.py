"""Stand-in rows: features, labels drawn from known probabilities, and the best AUC that these allow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from numpy.random import Generator, SeedSequence, default_rng

from mtbalance.config.datasets import HashSplit
from mtbalance.data.ranking.processed_csv import in_valid
from mtbalance.data.stand_in.features import draw_features
from mtbalance.data.stand_in.truth import TrueModel


def write_rows(
    folder: Path,
    *,
    counts: tuple[int, int],
    rows_per_search: float,
    rates: tuple[float, float],
    conflict: float,
    signal: float,
    seed: int,
) -> None:
    """Write ``train.csv``, ``test.csv`` and ``truth.csv``, the true probabilities of the test rows.

    ``counts`` are the numbers of training and test rows, ``rates`` the mean probabilities of a click, and of a click
    and a conversion together. The other arguments are the options of
    :class:`~mtbalance.data.adapters.synthetic.Synthetic`.
    """
    for_train, for_test, for_model, for_labels = map(default_rng, SeedSequence(seed).spawn(4))
    train, test = draw_sides(counts, rows_per_search, for_train, for_test)
    model = TrueModel(train, conflict, signal, for_model)
    model.solve(train, *rates)
    _labeled(train, model, for_labels).write_csv(folder / "train.csv")
    _labeled(test, model, for_labels).write_csv(folder / "test.csv")
    truth = model.probabilities(test)
    pl.DataFrame({"search_id": test["search_id"], **truth._asdict()}).write_csv(folder / "truth.csv")


def draw_sides(
    counts: tuple[int, int], rows_per_search: float, for_train: Generator, for_test: Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """So many training and test rows, without a search in common."""
    train = draw_features(counts[0], rows_per_search, 0, for_train)
    return train, draw_features(counts[1], rows_per_search, train["search_id"][-1], for_test)


def best_auc(folder: Path, split: HashSplit) -> dict[str, dict[str, float | None]]:
    """AUC of the true probabilities for the labels of the valid and of the test rows, by task.

    None if a split has labels of one kind only.
    """
    truth = pl.read_csv(folder / "truth.csv")
    tasks = truth.drop("search_id").columns
    labels = pl.read_csv(folder / "test.csv", columns=tasks)
    valid = in_valid(truth.get_column("search_id"), split)
    return {
        part: {task: _auc(labels.filter(rows)[task], truth.filter(rows)[task]) for task in tasks}
        for part, rows in (("valid", valid), ("test", ~valid))
    }


def _labeled(features: pl.DataFrame, model: TrueModel, random: Generator) -> pl.DataFrame:
    rates = model.probabilities(features)
    drawn = random.random(features.height)  # one draw: a conversion is the innermost part of a click
    return features.with_columns(
        click=pl.Series((drawn < rates.click).astype(np.int8)),
        conversion=pl.Series((drawn < rates.conversion).astype(np.int8)),
    )


def _auc(labels: pl.Series, scores: pl.Series) -> float | None:
    from sklearn.metrics import roc_auc_score  # takes a second to import

    return float(roc_auc_score(labels.to_numpy(), scores.to_numpy())) if labels.n_unique() == 2 else None
