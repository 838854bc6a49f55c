"""prepare_table: prepares a data set from the files of a table of one's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import polars as pl

from mtbalance.config.datasets import RawFile
from mtbalance.data.files.raw_files import RawChecksums
from mtbalance.data.ranking.layout import Layout
from mtbalance.data.ranking.raw_rows import form_of_features
from mtbalance.data.ranking.schema import SPLITS, RankingSchema, SplitName
from mtbalance.data.ranking.table_cells import features_and_labels
from mtbalance.data.ranking.table_cut import cutter
from mtbalance.data.ranking.table_files import column_names, text_blocks
from mtbalance.data.ranking.table_form import TableForm
from mtbalance.data.ranking.table_positive import PositiveValues
from mtbalance.data.ranking.writer import RankingWriter

Role = Literal["all"] | SplitName


def prepare_table(name: str, files: Mapping[Role, RawFile], form: TableForm, output: Path) -> RankingSchema:
    """Write the rows of the files ``all``, ``train`` and ``test``, or ``train``, ``valid`` and ``test``."""
    positive = PositiveValues(form)
    with RawChecksums(files.values()) as sums, RankingWriter(output, _layout(form)) as writer:
        for role, file in files.items():
            for part, rows in _parts(role, Path(file.path), form, positive):
                writer.write(part, rows)
        positive.refuse(file.path for file in files.values())
        return writer.finish(
            dataset=name,
            synthetic="synthetic" in name,
            normalize=form.normalize,
            raw=sums.manifest(),
            split_rule=_split_rule(files, form),
            split_seed=form.split.seed if form.split else 0,
            unused_columns=_unused(files, form),
            unmet=positive.unmet(),
            form=form_of_features(form),
        )


def _layout(form: TableForm) -> Layout:
    categories = form.category_columns()
    return Layout(
        categorical=(*categories, *form.marks()),
        numerical=tuple(feature.column for feature in form.numerical),
        tasks={task: block.title or task for task, block in form.tasks.items()},
        group=form.group,
        text=True,
        regressions={task: block.loss for task, block in form.tasks.items() if block.kind == "regression"},
        weight=form.weight,
        at_least={name: feature.at_least for name, feature in categories.items() if feature.at_least},
        forms={f.column: f.form for f in form.numerical if f.form == "quantile" or f.form == "bins"},
    )


def _parts(
    role: Role, path: Path, form: TableForm, positive: PositiveValues
) -> Iterator[tuple[SplitName, pl.DataFrame]]:
    """The rows of a file, block by block, each with its split."""
    parts = _splits(role, form)
    cut = cutter(path, form, parts)
    for block in text_blocks(path, form):
        positive.look(block)
        rows, part = features_and_labels(block, form, str(path)), cut(block)
        yield from ((name, rows.filter(pl.Series(part == place))) for place, name in enumerate(parts))


def _splits(role: Role, form: TableForm) -> Sequence[SplitName]:
    """The splits that the rows of a file go to."""
    if role == "all":
        return SPLITS
    return ("train", "valid") if role == "train" and form.split else (role,)


def _unused(files: Mapping[Role, RawFile], form: TableForm) -> list[str]:
    names = dict.fromkeys(
        name for file in files.values() for name in column_names(Path(file.path), form.separator, form.columns)
    )
    return [name for name in names if name not in (*form.named_columns(), *form.ignore)]


def _split_rule(files: Mapping[Role, RawFile], form: TableForm) -> str:
    if form.split is None:
        return "train, valid and test: each has a file"
    rule = form.split.rule(form.group)
    if "all" in files:
        return f"train, valid and test: {rule}"
    return f"train and valid: the train file, {rule}; test: the test file"
