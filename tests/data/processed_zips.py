"""Zips in the layout of the processed AliExpress, with synthetic rows, and labeled so in their comment.

For a test, or from the command line:

    python tests/data/processed_zips.py data/raw/aliexpress/AliExpress_NL.zip --rows 2000000 400000
"""

import argparse
import tempfile
import zipfile
from pathlib import Path

import polars as pl

from mtbalance.data.adapters.synthetic import Synthetic
from mtbalance.data.ranking.aliexpress_processed import SYNTHETIC

DIFFERENT = 20_000
"""Rows that are drawn; longer files repeat them, as other searches."""


def write_zip(path: Path, rows: tuple[int, int], inside: str = "AliExpress_NL/", **options: object) -> None:
    """Write so many training and test rows; ``options`` are those of the adapter ``synthetic``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = dict(zip(("train", "test"), (min(count, DIFFERENT) for count in rows), strict=True))
    with (
        tempfile.TemporaryDirectory() as name,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out,
    ):
        config = {f"{side}_rows": count for side, count in drawn.items()} | options
        Synthetic(adapter="synthetic", **config).generate(Path(name) / "rows")
        for side, count in zip(drawn, rows, strict=True):
            _store(out, f"{inside}{side}.csv", pl.read_csv(Path(name) / f"rows/{side}.csv"), count)
        out.comment = SYNTHETIC


def _store(archive: zipfile.ZipFile, member: str, block: pl.DataFrame, count: int) -> None:
    """Write a member of ``count`` rows, in the form that allows more than 4 GB (Zip64)."""
    searches = block["search_id"].max()
    with archive.open(member, "w", force_zip64=True) as stream:
        for start in range(0, count, block.height):
            shifted = block.with_columns(pl.col("search_id") + start // block.height * searches)
            stream.write(shifted[: count - start].write_csv(include_header=not start).encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--rows", type=int, nargs=2, default=[2_000_000, 400_000], help="of train and of test")
    given = parser.parse_args()
    write_zip(given.path, tuple(given.rows))


if __name__ == "__main__":
    main()
