"""Stand-in rows in the AliExpress layout, whose true probabilities are known. Never AliExpress."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from mtbalance.blocks import Count, Fraction, Positive, Seed
from mtbalance.config.datasets import Dataset, HashSplit, RawFile
from mtbalance.config.sizes import Size, StandIn
from mtbalance.data import DataError
from mtbalance.data.files.raw_files import RawChecksums
from mtbalance.data.ranking.aliexpress_layout import LAYOUT
from mtbalance.data.ranking.schema import RankingSchema
from mtbalance.data.stand_in.generated import FILES, MARK, generated_folder, write_generated


class Synthetic(Dataset):
    """Stand-in rows in the AliExpress layout. Never AliExpress: always labeled synthetic."""

    problem = "ranking"
    generated = (*FILES, MARK)
    terms = "none: made here"

    adapter: Literal["synthetic"]
    train_rows: Count = 100_000
    """Number of training rows."""
    test_rows: Count = 100_000
    """Number of test rows, of which valid gets its share."""
    rows_per_search: Positive = 5.0
    """Mean number of rows that share one search."""
    click_rate: Fraction = 0.021
    """Mean click probability (NL sample: 0.021)."""
    conversion_rate: Fraction = 0.0007
    """Mean probability of click and conversion together (NL sample: 0.0007)."""
    conflict: Fraction = 0.5
    """Conflict of the tasks. 0: conversions have the causes of clicks; 0.5: unrelated causes; 1: opposed causes."""
    signal: Positive = 1.5
    """Standard deviation of the true log-odds: how much can be learned."""
    seed: Seed = 0
    """Seed of all random draws; another seed gives other rows."""
    split: HashSplit = HashSplit()
    """The shares of the test rows that go to valid and to test, by search."""

    def task_names(self) -> Sequence[str]:
        """``click`` and ``conversion``."""
        return tuple(LAYOUT.tasks)

    def prepare(self, name: str, output: Path) -> RankingSchema:
        """Prepare the rows of ``data/raw/<name>``, which are generated first unless they are there.

        Raises :class:`DataError` unless the name says ``synthetic``: nobody may take these rows for real ones.
        """
        from mtbalance.data.ranking.processed_csv import prepare_rows, processed_rows
        from mtbalance.data.stand_in.rows import best_auc

        folder = generated_folder(self, name)
        rows = processed_rows(folder / "train.csv", folder / "test.csv")
        best = best_auc(folder, self.split)
        with RawChecksums(RawFile(path=str(folder / file)) for file in FILES) as sums:
            return prepare_rows(name, rows, self.split, output, sums, synthetic=True, best_auc=best)

    def generate(self, folder: Path) -> None:
        """Write ``train.csv`` and ``test.csv`` in the processed form, and ``truth.csv`` with the test rows' true
        probabilities.

        The same options give the same files. All rows are in memory at once, about 1.5 kB each. Raises
        :class:`DataError` for rates that are impossible.
        """
        from mtbalance.data.stand_in.rows import write_rows

        if not 0 < self.conversion_rate < self.click_rate < 1:
            raise DataError("synthetic data: rates must be 0 < conversion_rate < click_rate < 1")
        with write_generated(self, folder) as unfinished:
            write_rows(
                unfinished,
                counts=(self.train_rows, self.test_rows),
                rows_per_search=self.rows_per_search,
                rates=(self.click_rate, self.conversion_rate),
                conflict=self.conflict,
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
        from mtbalance.data.ranking.aliexpress_sizes import STAND_IN

        return STAND_IN
