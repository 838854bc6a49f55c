"""Stand-in data in the AliExpress layout, whose true probabilities are known. Never AliExpress."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from numpy.random import Generator, SeedSequence, default_rng
from sklearn.metrics import roc_auc_score

from mtbalance.config import HashSplit, RawFile, SyntheticData
from mtbalance.data import DataError
from mtbalance.data.generated import MARK, RAW, is_generated, mark_of, require_synthetic
from mtbalance.data.ranking.processed_csv import LAYOUT, in_valid, processed_rows, write
from mtbalance.data.ranking.schema import Schema
from mtbalance.data.ranking.synthetic_features import draw_features
from mtbalance.data.ranking.synthetic_truth import TrueModel
from mtbalance.data.raw_files import RawChecksums

FILES = ("train.csv", "test.csv", "truth.csv")


def prepare(name: str, config: SyntheticData, output: Path) -> Schema:
    """Prepare ``data/raw/<name>``, which is generated first unless it is there for this configuration.

    Raises :class:`DataError` unless the name says ``synthetic``: nobody may take these rows for real ones.
    """
    require_synthetic(name)
    folder = RAW / name
    if not is_generated(config, folder, FILES):
        generate(config, folder)
    rows = processed_rows(folder / "train.csv", folder / "test.csv")
    best = best_auc(folder, config.split)
    with RawChecksums(RawFile(path=str(folder / file)) for file in FILES) as sums:
        return write(name, rows, config.split, output, sums, synthetic=True, best_auc=best)


def generate(config: SyntheticData, folder: Path) -> None:
    """Write ``train.csv`` and ``test.csv`` in the processed form, and ``truth.csv`` with the test rows'
    probabilities.

    The same configuration gives the same files. All rows are in memory at once, about 1.5 kB each. Raises
    :class:`DataError` for rates that no model has.
    """
    if not 0 < config.conversion_rate < config.click_rate < 1:
        raise DataError("synthetic data: rates must be 0 < conversion_rate < click_rate < 1")
    for_train, for_test, for_model, for_labels = map(default_rng, SeedSequence(config.seed).spawn(4))
    train = draw_features(config.train_rows, config.rows_per_search, 0, for_train)
    test = draw_features(config.test_rows, config.rows_per_search, train["search_id"][-1], for_test)
    model = TrueModel(train, config.conflict, config.signal, for_model)
    model.solve(train, config.click_rate, config.conversion_rate)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).unlink(missing_ok=True)
    _labelled(train, model, for_labels).write_csv(folder / "train.csv")
    _labelled(test, model, for_labels).write_csv(folder / "test.csv")
    truth = model.probabilities(test)
    pl.DataFrame({"search_id": test["search_id"], **truth._asdict()}).write_csv(folder / "truth.csv")
    (folder / MARK).write_text(mark_of(config), encoding="utf-8")


def best_auc(folder: Path, split: HashSplit) -> dict[str, dict[str, float | None]]:
    """AUC of the true probabilities for the labels of the valid and of the test rows, by task."""
    truth = pl.read_csv(folder / "truth.csv")
    labels = pl.read_csv(folder / "test.csv", columns=list(LAYOUT.tasks))
    valid = in_valid(truth.get_column("search_id"), split)
    return {
        part: {task: _auc(labels.filter(rows)[task], truth.filter(rows)[task]) for task in LAYOUT.tasks}
        for part, rows in (("valid", valid), ("test", ~valid))
    }


def _labelled(features: pl.DataFrame, model: TrueModel, random: Generator) -> pl.DataFrame:
    rates = model.probabilities(features)
    drawn = random.random(features.height)  # one draw: a conversion is the innermost part of a click
    return features.with_columns(
        click=pl.Series((drawn < rates.click).astype(np.int8)),
        conversion=pl.Series((drawn < rates.conversion).astype(np.int8)),
    )


def _auc(labels: pl.Series, scores: pl.Series) -> float | None:
    return float(roc_auc_score(labels.to_numpy(), scores.to_numpy())) if labels.n_unique() == 2 else None
