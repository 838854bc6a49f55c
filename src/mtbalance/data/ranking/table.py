"""prepare_table: prepares a data set from the files of a table of one's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import polars as pl

from mtbalance.config.datasets import HashSplit, RawFile
from mtbalance.data.files.raw_files import RawChecksums
from mtbalance.data.ranking.csv_blocks import RowBlock
from mtbalance.data.ranking.hash_split import Hashes, assign, hash_texts
from mtbalance.data.ranking.layout import Layout
from mtbalance.data.ranking.schema import RankingSchema, SplitName
from mtbalance.data.ranking.table_cells import features_and_labels
from mtbalance.data.ranking.table_files import text_blocks
from mtbalance.data.ranking.table_form import TableForm
from mtbalance.data.ranking.writer import RankingWriter

CELL_END = "\x1f"  # the unit separator: keeps ("ab", "c") and ("a", "bc") apart
Role = Literal["all", "train", "test"]


def prepare_table(
    name: str, files: Mapping[Role, RawFile], form: TableForm, split: HashSplit, output: Path
) -> RankingSchema:
    """Write the rows of the files ``all``, or ``train`` and ``test``, whose columns are those of ``form``."""
    layout = Layout(
        categorical=tuple(form.categorical),
        numerical=tuple(form.numerical),
        tasks={task: block.title or task for task, block in form.tasks.items()},
        group=form.group,
        text=True,
        regressions={task: block.loss for task, block in form.tasks.items() if block.kind == "regression"},
        weight=form.weight,
    )
    with RawChecksums(files.values()) as sums, RankingWriter(output, layout) as writer:
        for role, file in files.items():
            path = Path(file.path)
            for block in text_blocks(path, form):
                rows = features_and_labels(block, form, str(path))
                for part, chosen in _splits(role, block, form, split):
                    writer.write(part, rows.filter(chosen))
        return writer.finish(
            dataset=name,
            synthetic="synthetic" in name,
            normalize=form.normalize,
            raw=sums.manifest(),
            split_rule=_split_rule("all" in files, form.group),
            split_seed=split.seed,
        )


def _splits(role: Role, block: RowBlock, form: TableForm, split: HashSplit) -> Iterator[tuple[SplitName, pl.Series]]:
    shares: dict[SplitName, float] = {"valid": split.valid, "test": split.test}
    if role == "train":
        shares = {"train": 1.0}
    if role == "all":
        shares = {"train": split.train, **shares}
    part = assign(_hashes(block.frame, form.group, split.seed), list(shares.values()))
    for position, name in enumerate(shares):
        yield name, pl.Series(part == position)


def _hashes(frame: pl.DataFrame, group: str | None, seed: int) -> Hashes:
    if group is not None:
        return hash_texts(frame.get_column(group).fill_null(""), seed)
    rows = frame.select(pl.concat_str(pl.all().fill_null(""), separator=CELL_END)).to_series()
    return hash_texts(rows, seed)


def _split_rule(one_file: bool, group: str | None) -> str:
    what = "the whole row" if group is None else group
    if one_file:
        return f"train, valid and test: by a hash of {what}"
    return f"train: the train file; valid and test: the test file, by a hash of {what}"
