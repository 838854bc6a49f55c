"""AliExpress searches (Tianchi 74690), one country: clicks, and purchases over all impressions (CTCVR)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from mtbalance import places
from mtbalance.config.datasets import Dataset, HashSplit, RawFile
from mtbalance.data import DataError
from mtbalance.data.files.raw_files import RawChecksums
from mtbalance.data.ranking.aliexpress_layout import LAYOUT
from mtbalance.data.ranking.schema import RankingSchema

FOLDER = places.RAW.format(dataset="aliexpress")


class AliExpress(Dataset):
    """One country of the AliExpress searches (Tianchi 74690).

    The raw data come as the original zip, or as the processed ``train.csv`` and ``test.csv``, which are used if
    both are there. Each file lies at its customary place unless its key gives another.
    """

    problem = "ranking"

    adapter: Literal["aliexpress"]
    country: Literal["NL", "ES", "FR", "US"]
    """The country, as the files name it."""
    archive: RawFile | None = None
    """The original zip (33 user and 49 item columns, no header)."""
    train_csv: RawFile | None = None
    """The training rows in the processed form (82 columns, with a header)."""
    test_csv: RawFile | None = None
    """The test rows in the processed form."""
    split: HashSplit = HashSplit()
    """The shares of the official test rows that go to valid and to test, by search."""

    def by_role(self) -> dict[str, RawFile]:
        """The raw files ``archive``, ``train`` and ``test``, each at its place."""
        return {
            "archive": self.archive or RawFile(path=f"{FOLDER}/aliexpress_{self.country}_datasets.zip"),
            "train": self.train_csv or RawFile(path=f"{FOLDER}/AliExpress_{self.country}/train.csv"),
            "test": self.test_csv or RawFile(path=f"{FOLDER}/AliExpress_{self.country}/test.csv"),
        }

    def forms(self) -> list[list[RawFile]]:
        """The two processed CSV files, or the original zip."""
        raw = self.by_role()
        return [[raw["train"], raw["test"]], [raw["archive"]]]

    def task_names(self) -> Sequence[str]:
        """``click`` and ``conversion``."""
        return tuple(LAYOUT.tasks)

    def prepare(self, name: str, output: Path) -> RankingSchema:
        """Prepare one country from its processed CSV files, or from the original zip if there are none."""
        from mtbalance.data.ranking.aliexpress_archive import Archive
        from mtbalance.data.ranking.processed_csv import prepare_rows, processed_rows

        raw = self.by_role()
        train, test, archive = (Path(raw[key].path) for key in ("train", "test", "archive"))
        if train.is_file() and test.is_file():
            with RawChecksums([raw["train"], raw["test"]]) as sums:
                return prepare_rows(name, processed_rows(train, test), self.split, output, sums)
        if archive.is_file():
            source = Archive(archive)
            with RawChecksums([raw["archive"]]) as sums:
                return prepare_rows(name, source.rows(), self.split, output, sums, dropped_rows=source.dropped_rows)
        raise DataError(
            f"AliExpress {self.country} is not here, and Tianchi needs an account. Log in at "
            "https://tianchi.aliyun.com/dataset/74690, then either place the original zip as "
            f"{archive}, or the processed files (82 columns with a header) as {train} and {test}; "
            f"or give `archive`, or `train_csv` and `test_csv`, with path, urls and sha256 under datasets.{name}"
        )
