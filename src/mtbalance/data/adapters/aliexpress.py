"""AliExpress searches (Tianchi 74690), one country: clicks, and purchases over all impressions (CTCVR)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from mtbalance import places
from mtbalance.config.datasets import Dataset, Folder, HashSplit, RawFile
from mtbalance.config.sizes import Size, StandIn
from mtbalance.data import DataError
from mtbalance.data.files.raw_files import RawChecksums
from mtbalance.data.ranking.aliexpress_layout import LAYOUT
from mtbalance.data.ranking.aliexpress_sizes import STAND_IN, known_rows, size
from mtbalance.data.ranking.schema import RankingSchema

FOLDER = places.RAW.format(dataset="aliexpress")


class AliExpress(Dataset):
    """One country of the AliExpress searches (Tianchi 74690).

    The raw data come as the processed ``train.csv`` and ``test.csv``, as the original zip, or as a zip of the
    processed files. The first form that is there is prepared. Each file lies at its customary place unless its key
    gives another.
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
    processed: Folder | None = None
    """Address of a folder with the zips of the processed files, ``AliExpress_NL.zip`` and so on."""
    processed_zip: RawFile | None = None
    """The zip of the processed files. Default: the country's in the folder ``processed``."""
    split: HashSplit = HashSplit()
    """The shares of the official test rows that go to valid and to test, by search."""

    def by_role(self) -> dict[str, RawFile]:
        """The raw files ``archive``, ``train``, ``test`` and ``zip``, each at its place."""
        packed = f"AliExpress_{self.country}.zip"
        urls = [f"{self.processed}/{packed}"] if self.processed else []
        return {
            "archive": self.archive or RawFile(path=f"{FOLDER}/aliexpress_{self.country}_datasets.zip"),
            "train": self.train_csv or RawFile(path=f"{FOLDER}/AliExpress_{self.country}/train.csv"),
            "test": self.test_csv or RawFile(path=f"{FOLDER}/AliExpress_{self.country}/test.csv"),
            "zip": self.processed_zip or RawFile(path=f"{FOLDER}/{packed}", urls=urls),
        }

    def forms(self) -> list[list[RawFile]]:
        """The two processed CSV files, the original zip, or the zip of the processed files."""
        raw = self.by_role()
        return [[raw["train"], raw["test"]], [raw["archive"]], [raw["zip"]]]

    def task_names(self) -> Sequence[str]:
        """``click`` and ``conversion``."""
        return tuple(LAYOUT.tasks)

    def prepare(self, name: str, output: Path) -> RankingSchema:
        """Prepare one country from the first form that is there: CSV files, the original zip, the processed zip."""
        from mtbalance.data.ranking.aliexpress_archive import Archive
        from mtbalance.data.ranking.aliexpress_processed import ProcessedZip
        from mtbalance.data.ranking.processed_csv import prepare_rows, processed_rows

        raw = self.by_role()
        train, test, archive, packed = (Path(raw[key].path) for key in ("train", "test", "archive", "zip"))
        known = known_rows(self.country)
        if train.is_file() and test.is_file():
            with RawChecksums([raw["train"], raw["test"]]) as sums:
                return prepare_rows(name, processed_rows(train, test), self.split, output, sums, known_rows=known)
        if archive.is_file():
            original = Archive(archive, self.country)
            with RawChecksums([raw["archive"]]) as sums:
                rows, dropped = original.rows(), original.dropped_rows
                return prepare_rows(name, rows, self.split, output, sums, known_rows=known, dropped_rows=dropped)
        if packed.is_file():
            with RawChecksums([raw["zip"]]) as sums:
                found = ProcessedZip(packed, self.country)
                return prepare_rows(
                    name, found.rows(), self.split, output, sums, synthetic=found.synthetic, known_rows=known
                )
        raise DataError(self.routes(name))

    def routes(self, name: str) -> str:
        """What to do on a machine that has no raw data and fetches none."""
        train, test, archive, packed = (self.by_role()[key].path for key in ("train", "test", "archive", "zip"))
        folder = f"in {self.processed}" if self.processed else "linked in the READMEs of MTReclib and of PUB's release"
        alone = [(here, other) for here, other in ((train, test), (test, train)) if Path(here).is_file()]
        half = f"{alone[0][0]} is there, and {alone[0][1]} is not. " if len(alone) == 1 else ""
        return (
            f"{half}AliExpress {self.country} is not here, and Tianchi needs an account. Log in at "
            "https://tianchi.aliyun.com/dataset/74690, then either place the original zip as "
            f"{archive}, or the processed files (82 columns with a header) as {train} and {test}; "
            f"or fetch their zip, {folder}, as {packed}; or give `archive`, `processed_zip`, or `train_csv` and "
            f"`test_csv`, with path, urls and sha256 under datasets.{name}"
        )

    terms = "Tianchi's, of its data set 74690"

    def size(self) -> Size:
        """The rows of the country, and bytes by the row."""
        return size(self.country, self.split)

    def stand_in(self, whole: bool = False) -> StandIn:
        """Synthetic rows of the same 82 columns."""
        return STAND_IN
