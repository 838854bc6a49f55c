"""Small data for these tests: synthetic rows, and the real ones where they are."""

from pathlib import Path

import polars as pl
import pytest

from mtbalance.config.datasets import RawFile
from mtbalance.data.adapters.aliexpress import AliExpress
from mtbalance.data.adapters.synthetic import Synthetic

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
SMALL = Synthetic(
    adapter="synthetic", train_rows=3000, test_rows=2000, click_rate=0.2, conversion_rate=0.05, conflict=0.6
)


def shared(path: str) -> Path:
    """A file of the shared real data, or a skipped test."""
    if not (SHARED / path).is_file():
        pytest.skip(f"real data ../shared/data/{path} are not beside this repository")
    return SHARED / path


def processed(folder: Path) -> AliExpress:
    """The configuration of the processed CSV files in a folder."""
    files = {f"{side}_csv": RawFile(path=str(folder / f"{side}.csv")) for side in ("train", "test")}
    return AliExpress(adapter="aliexpress", country="NL", **files)


def all_rows(folder: Path, *splits: str) -> pl.DataFrame:
    """The rows of some splits, one after the other."""
    return pl.concat([pl.read_parquet(folder / f"{split}.parquet") for split in splits])
