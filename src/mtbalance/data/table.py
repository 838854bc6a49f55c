"""A table of one's own: CSV or Parquet, with columns, tasks and split named in ``params.yaml``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from mtbalance.config import TableData
from mtbalance.data import DataError
from mtbalance.data.ranking.csv_blocks import Block
from mtbalance.data.ranking.layout import Layout
from mtbalance.data.ranking.schema import Schema, SplitName
from mtbalance.data.ranking.split import assign, hash_texts
from mtbalance.data.ranking.table_cells import features_and_labels
from mtbalance.data.ranking.table_files import text_blocks
from mtbalance.data.ranking.writer import DatasetWriter
from mtbalance.data.raw_files import RawChecksums

CELL_END = "\x1f"  # the unit separator: keeps ("ab", "c") and ("a", "bc") apart


def prepare(name: str, config: TableData, output: Path) -> Schema:
    """Prepare a table. Categories are stored as trimmed texts, all missing ones as the empty text."""
    _check_roles(name, config)
    titles = {task: block.title or task for task, block in config.tasks.items()}
    layout = Layout(
        categorical=tuple(config.categorical),
        numerical=tuple(config.numerical),
        tasks=titles,
        group=config.group,
        text=True,
    )
    with RawChecksums(config.files.values()) as sums, DatasetWriter(output, layout) as writer:
        for role, file in config.files.items():
            path = Path(file.path)
            for block in text_blocks(path, config):
                rows = features_and_labels(block, config, str(path))
                for split, chosen in _splits(role, block, config):
                    writer.write(split, rows.filter(chosen))
        return writer.finish(
            dataset=name,
            synthetic="synthetic" in name,
            normalize=config.normalize,
            raw=sums.manifest(),
            split_rule=_split_rule(config),
            split_seed=config.split.seed,
        )


def _check_roles(name: str, config: TableData) -> None:
    if set(config.files) not in ({"all"}, {"train", "test"}):
        raise DataError(f"data set {name!r}: `files` needs `all`, or `train` and `test`; it has {list(config.files)}")
    for task, block in config.tasks.items():
        if block.column in (*config.categorical, *config.numerical):
            raise DataError(f"task {task!r}: its column {block.column!r} is a feature too, and would tell the label")


def _splits(role: str, block: Block, config: TableData) -> Iterator[tuple[SplitName, pl.Series]]:
    shares: dict[SplitName, float] = {"valid": config.split.valid, "test": config.split.test}
    if role == "train":
        shares = {"train": 1.0}
    if role == "all":
        shares = {"train": config.split.train, **shares}
    part = assign(_hashes(block.frame, config), list(shares.values()))
    for position, split in enumerate(shares):
        yield split, pl.Series(part == position)


def _hashes(frame: pl.DataFrame, config: TableData) -> np.ndarray:
    if config.group is not None:
        return hash_texts(frame.get_column(config.group).fill_null(""), config.split.seed)
    rows = frame.select(pl.concat_str(pl.all().fill_null(""), separator=CELL_END)).to_series()
    return hash_texts(rows, config.split.seed)


def _split_rule(config: TableData) -> str:
    what = "the whole row" if config.group is None else config.group
    if "all" in config.files:
        return f"train, valid and test: by a hash of {what}"
    return f"train: the train file; valid and test: the test file, by a hash of {what}"
