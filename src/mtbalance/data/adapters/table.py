"""A table of one's own: CSV or Parquet, with columns, tasks and split named in ``params.yaml``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from mtbalance.config.datasets import Dataset, HashSplit, RawFile
from mtbalance.data import DataError
from mtbalance.data.ranking.schema import RankingSchema
from mtbalance.data.ranking.table_form import TableForm


class Table(TableForm, Dataset):
    """A table of one's own: CSV (also .gz or .zip) or Parquet."""

    problem = "ranking"

    adapter: Literal["table"]
    files: dict[Literal["all", "train", "test"], RawFile]
    """The raw files: ``all``, or ``train`` and ``test`` (valid is then cut from test)."""
    split: HashSplit
    """The shares of the rows that go to train, valid and test; with a ``train`` file, to valid and test."""

    def task_names(self) -> Sequence[str]:
        """The keys of ``tasks``."""
        return tuple(self.tasks)

    def regressions(self) -> Sequence[str]:
        """Those with ``kind: regression``."""
        return tuple(task for task, block in self.tasks.items() if block.kind == "regression")

    def forms(self) -> list[list[RawFile]]:
        """The one form: ``all``, or ``train`` and ``test``."""
        return [list(self.files.values())]

    def prepare(self, name: str, output: Path) -> RankingSchema:
        """Prepare the table. Categories are stored as trimmed texts, all missing ones as the empty text."""
        from mtbalance.data.ranking.table import prepare_table

        if set(self.files) not in ({"all"}, {"train", "test"}):
            raise DataError(f"data set {name!r}: `files` needs `all`, or `train` and `test`; it has {list(self.files)}")
        for task, block in self.tasks.items():
            if block.column in (*self.categorical, *self.numerical):
                raise DataError(
                    f"task {task!r}: its column {block.column!r} is also a feature and would leak the label; remove "
                    "it from the features"
                )
        return prepare_table(name, self.files, self, self.split, output)
