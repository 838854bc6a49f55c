"""Stand-in rows in the AliExpress layout, with any number of tasks, whose true probabilities are known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from mtbalance.blocks import Count, Fraction, Positive, Seed
from mtbalance.config.datasets import Dataset, HashSplit, RawFile
from mtbalance.config.sizes import Size, StandIn
from mtbalance.data import DataError
from mtbalance.data.files.raw_files import RawChecksums
from mtbalance.data.ranking.aliexpress_layout import LAYOUT
from mtbalance.data.ranking.layout import Layout
from mtbalance.data.ranking.schema import RankingSchema
from mtbalance.data.stand_in.generated import FILES, MARK, generated_folder, write_generated


class SyntheticTasks(Dataset):
    """Stand-in rows with the features of ``synthetic`` and any number of tasks: always labeled synthetic."""

    problem = "ranking"
    generated = (*FILES, MARK)
    terms = "none: made here"

    adapter: Literal["synthetic_tasks"]
    tasks: Annotated[int, Field(ge=2)]
    """Number of tasks."""
    train_rows: Count = 100_000
    """Number of training rows."""
    test_rows: Count = 100_000
    """Number of test rows, of which valid gets its share."""
    rows_per_search: Positive = 5.0
    """Mean number of rows that share one search."""
    first_rate: Fraction = 0.3
    """Mean label of the first task. From task to task the mean changes by one factor."""
    last_rate: Fraction = 0.03
    """Mean label of the last task."""
    common: Fraction = 0.5
    """Share of a score's variance that all tasks have in common. Its sign alternates, so half of the pairs of tasks
    conflict: the scores of two tasks have the correlation ``common``, or minus ``common``."""
    signal: Positive = 1.5
    """Standard deviation of the true log-odds: how much can be learned."""
    seed: Seed = 0
    """Seed of all random draws; another seed gives other rows."""
    split: HashSplit = HashSplit()
    """The shares of the test rows that go to valid and to test, by search."""

    def task_names(self) -> Sequence[str]:
        """``task_1`` and so on."""
        return tuple(self._layout().tasks)

    def _layout(self) -> Layout:
        tasks = {f"task_{number}": f"task {number}" for number in range(1, self.tasks + 1)}
        return Layout(LAYOUT.categorical, LAYOUT.numerical, tasks, LAYOUT.group)

    def prepare(self, name: str, output: Path) -> RankingSchema:
        """Prepare the rows of ``data/raw/<name>``, which are generated first unless they are there.

        Raises :class:`DataError` unless the name says ``synthetic``: nobody may take these rows for real ones.
        """
        from mtbalance.data.ranking.processed_csv import prepare_rows
        from mtbalance.data.stand_in.rows import best_auc
        from mtbalance.data.stand_in.task_rows import read_task_rows

        folder, layout = generated_folder(self, name), self._layout()
        best = best_auc(folder, self.split)
        with RawChecksums(RawFile(path=str(folder / file)) for file in FILES) as sums:
            rows = read_task_rows(folder, layout)
            return prepare_rows(name, rows, self.split, output, sums, synthetic=True, layout=layout, best_auc=best)

    def generate(self, folder: Path) -> None:
        """Write ``train.csv``, ``test.csv``, and ``truth.csv`` with the test rows' true probabilities.

        The same options give the same files. All rows are in memory at once. Raises :class:`DataError` for rates that
        are impossible.
        """
        from mtbalance.data.stand_in.task_rows import write_task_rows

        rates = (self.first_rate, self.last_rate)
        if not all(0 < rate < 1 for rate in rates):
            raise DataError("synthetic data: first_rate and last_rate must be above 0 and below 1")
        with write_generated(self, folder) as unfinished:
            write_task_rows(
                unfinished,
                self._layout(),
                counts=(self.train_rows, self.test_rows),
                rows_per_search=self.rows_per_search,
                rates=rates,
                common=self.common,
                signal=self.signal,
                seed=self.seed,
            )

    def size(self) -> Size:
        """The rows, and bytes by the row."""
        from mtbalance.data.ranking.aliexpress_sizes import CSV_BYTES, of_rows

        raw = CSV_BYTES * (self.train_rows + self.test_rows)
        return of_rows(self.train_rows, self.test_rows, self.split, raw, about=True)

    def stand_in(self, whole: bool = False) -> StandIn:
        """Fewer rows of the same kind."""
        return StandIn({"adapter": "synthetic_tasks", "tasks": self.tasks, "train_rows": 4096, "test_rows": 256})
