"""A table of one's own: CSV or Parquet, with columns, tasks and split named in ``params.yaml``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from mtbalance.blocks import Fault, refuse
from mtbalance.config.datasets import Dataset, RawFile
from mtbalance.data.ranking.schema import RankingSchema
from mtbalance.data.ranking.table_form import TableForm

CUT = {("all",): ["train", "valid", "test"], ("test", "train"): ["train", "valid"], ("test", "train", "valid"): []}
"""The splits that ``split`` decides, by the files."""


class Table(TableForm, Dataset):
    """A table of one's own: CSV (also .gz or .zip) or Parquet."""

    problem = "ranking"
    model: ClassVar = {"numbers": "piecewise"}

    adapter: Literal["table"]
    files: dict[Literal["all", "train", "valid", "test"], RawFile]
    """The raw files: ``all``; or ``train`` and ``test``, when valid is cut from train, and test stays whole;
    or ``train``, ``valid`` and ``test``."""

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> Self:
        refuse([] if self.tasks else [("tasks", "no tasks: name at least one column that is to be predicted")])
        refuse(self._label_faults())
        refuse(self._split_faults())
        return self

    def _label_faults(self) -> Iterator[Fault]:
        for task, block in self.tasks.items():
            if block.column in self.feature_columns():
                why = "is also a feature and would leak the label; remove it from the features"
                yield f"tasks.{task}.column", f"{block.column!r} {why}"

    def _split_faults(self) -> Iterator[Fault]:
        files = tuple(sorted(self.files))
        if files not in CUT:
            yield "files", f"needs `all`, or `train` and `test`, or these two and `valid`; it has {list(self.files)}"
            return
        parts, given = CUT[files], self.split.given() if self.split else []
        for name in parts:
            if name not in given:
                yield f"split.{name}", "missing"
        for name in given:
            if name not in parts:
                yield f"split.{name}", f"the files {', '.join(self.files)} decide which rows these are; leave it out"
        if self.group and self.split and not self.split.by_hash():
            yield "group", "rows of a group can be in several splits where no hash decides on `split`; leave one out"

    def task_names(self) -> Sequence[str]:
        """The keys of ``tasks``."""
        return tuple(self.tasks)

    def regressions(self) -> Sequence[str]:
        """Those with ``kind: regression``."""
        return tuple(task for task, block in self.tasks.items() if block.kind == "regression")

    def forms(self) -> list[list[RawFile]]:
        """The one form: all files."""
        return [list(self.files.values())]

    def look(self) -> None:
        """The columns that the block names must be there."""
        from mtbalance.data.ranking.table_files import refuse_missing_columns

        for path in (Path(file.path) for file in self.files.values()):
            if path.exists():
                refuse_missing_columns(path, self)

    def prepare(self, name: str, output: Path) -> RankingSchema:
        """Prepare the table. Categories are stored as trimmed texts, all missing ones as the empty text."""
        from mtbalance.data.ranking.table import prepare_table

        return prepare_table(name, self.files, self, output)
