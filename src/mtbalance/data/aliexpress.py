"""AliExpress searches (Tianchi 74690), one country: clicks, and purchases over all impressions (CTCVR)."""

from __future__ import annotations

from pathlib import Path

from mtbalance.config import AliExpressData
from mtbalance.data import DataError
from mtbalance.data.ranking.aliexpress_archive import Archive
from mtbalance.data.ranking.processed_csv import processed_rows, write
from mtbalance.data.ranking.schema import Schema
from mtbalance.data.raw_files import RawChecksums


def prepare(name: str, config: AliExpressData, output: Path) -> Schema:
    """Prepare one country from its processed CSV files, or from the original zip where there are none."""
    raw = config.raw()
    train, test, archive = (Path(raw[key].path) for key in ("train", "test", "archive"))
    if train.is_file() and test.is_file():
        with RawChecksums([raw["train"], raw["test"]]) as sums:
            return write(name, processed_rows(train, test), config.split, output, sums)
    if archive.is_file():
        source = Archive(archive)
        with RawChecksums([raw["archive"]]) as sums:
            return write(name, source.rows(), config.split, output, sums, dropped_rows=source.dropped_rows)
    raise DataError(
        f"AliExpress {config.country} is not here, and Tianchi needs an account. Log in at "
        "https://tianchi.aliyun.com/dataset/74690, then either place the original zip as "
        f"{archive}, or the processed files (82 columns with a header) as {train} and {test}; "
        f"or give `archive`, or `train_csv` and `test_csv`, with path, urls and sha256 under datasets.{name}"
    )
