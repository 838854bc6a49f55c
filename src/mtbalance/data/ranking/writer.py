"""Writing a prepared ranking data set: all of it, or nothing.

A preparation is a pipeline, so that all cores work and memory is bounded for files of any size:

1. the caller's thread reads the raw file in blocks of whole lines (:mod:`csv_blocks`);
2. one thread per core parses and checks blocks, a few ahead (:mod:`csv_blocks`);
3. the caller's thread takes their rows in order, splits them, and collects row groups (:mod:`row_groups`);
4. one thread encodes, hashes and writes row groups (:mod:`split_file`), and fits the :mod:`statistics`;
5. one thread takes the checksums of the raw files meanwhile (:mod:`mtbalance.data.files.raw_files`).

Each step hands on frames in Arrow's memory layout and leaves the interpreter free while it computes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import polars as pl

from mtbalance.data import DataError
from mtbalance.data.files.staging import Staging
from mtbalance.data.guess.leaks import told_alone
from mtbalance.data.ranking.knots import fitted_knots
from mtbalance.data.ranking.layout import Layout
from mtbalance.data.ranking.new_values import new_values
from mtbalance.data.ranking.row_groups import RowGroups
from mtbalance.data.ranking.schema import SPLITS, Numerical, RankingSchema, SplitFacts, SplitName
from mtbalance.data.ranking.split_file import SplitFile
from mtbalance.data.ranking.statistics import Moments, Vocabularies
from mtbalance.places import SCHEMA


class RankingWriter:
    """Writes the three Parquet files, then the schema; a context manager.

    They move from a :class:`Staging` folder to ``output``, ``schema.json`` last. Row groups are encoded in a thread,
    one at a time, while the caller parses the next.
    """

    def __init__(self, output: Path, layout: Layout) -> None:
        self._staging, self._layout = Staging(output), layout
        self._vocabularies = Vocabularies(layout.categorical, layout.at_least)
        self._moments = Moments(layout.numerical)
        self._row_groups = {split: RowGroups() for split in SPLITS}

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as undo:
            folder = undo.enter_context(self._staging).folder
            with self._staging.writing():
                self._files = {name: SplitFile(folder / f"{name}.parquet", self._layout) for name in SPLITS}
            self._undo = undo.pop_all()
        self._thread = ThreadPoolExecutor(1)
        self._pending: Future[None] | None = None
        return self

    def write(self, split: SplitName, frame: pl.DataFrame) -> None:
        """Add rows, with the columns and types of the layout, to a split."""
        if frame.height:
            self._encode(split, self._row_groups[split].add(frame[self._layout.columns]))

    def finish(self, **facts: Any) -> RankingSchema:
        """Close the files, check their counts, and move the files to their place.

        ``facts`` are the fields of the schema that are not known here. Raises :class:`DataError` for a split without
        rows or without a label of a task, and for a task whose training labels are all alike.
        """
        for split in SPLITS:
            self._encode(split, self._row_groups[split].rest())
        self._wait()
        with self._staging.writing():
            schema = self._schema(facts)
            schema.save(self._staging.folder)
        self._staging.move([*(f"{split}.parquet" for split in SPLITS), SCHEMA])
        return schema

    def _encode(self, split: SplitName, row_groups: Iterator[pl.DataFrame]) -> None:
        for row_group in row_groups:
            self._wait()
            self._pending = self._thread.submit(self._store, split, row_group)

    def _store(self, split: SplitName, frame: pl.DataFrame) -> None:
        frame = frame.rechunk()  # the many small pieces would cost more than this copy
        self._files[split].write(frame)
        if split == "train":
            self._vocabularies.add(frame)
            self._moments.add(frame)

    def _wait(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            with self._staging.writing():
                pending.result()

    def _schema(self, facts: dict[str, Any]) -> RankingSchema:
        try:
            splits = {split: self._split_facts(split) for split in SPLITS}
        except DataError as error:
            raise DataError(f"{', '.join(facts['raw'])}: {error}") from None
        try:
            categorical, numerical = self._vocabularies.result(), self._numerical()
        except DataError as error:
            raise DataError(f"datasets.{facts['dataset']}: {error}") from None
        return RankingSchema(
            categorical=categorical,
            numerical=numerical,
            tasks=self._files["train"].labels.tasks(),
            group=self._layout.group,
            weight=self._layout.weight,
            splits=splits,
            alone=self._alone(),
            new_values=new_values(self._staging.folder / "test.parquet", categorical) if self._layout.text else {},
            **facts,
        )

    def _alone(self) -> dict[str, dict[str, float]]:
        """Those of a table of one's own; the columns of published data are known."""
        if not self._layout.text:
            return {}
        binary = [task for task in self._layout.tasks if task not in self._layout.regressions]
        train = self._staging.folder / "train.parquet"
        return told_alone(train, self._layout.categorical, self._layout.numerical, binary)

    def _numerical(self) -> list[Numerical]:
        columns, forms = self._moments.result(), self._layout.forms
        knots = fitted_knots(self._staging.folder / "train.parquet", [column.name for column in columns])
        return [
            column.model_copy(
                update={"form": forms.get(column.name, "number"), "knots": knots[column.name] or [column.mean]}
            )
            for column in columns
        ]

    def _split_facts(self, split: SplitName) -> SplitFacts:
        file = self._files[split]
        file.close()
        if not file.labels.rows:
            raise DataError(f"no rows for split {split!r}; look at the raw files and at the shares under `split`")
        file.labels.refuse(split)
        return SplitFacts(rows=file.labels.rows, groups=file.groups(), sha256=file.sha256, **file.labels.facts())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(cancel_futures=True)
        for file in self._files.values():
            file.abandon()
        self._undo.close()
