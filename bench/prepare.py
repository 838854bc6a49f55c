"""Preparing AliExpress-like CSV: this project's ``prepare`` against pandas' ``read_csv`` and ``to_parquet``.

The CSV is a synthetic block of 100,000 rows in the processed 82-column form, repeated. Both sides run in a process of
their own; memory is that process's peak resident size, interpreter and libraries included, and time is from the
first to the last byte, without imports. ``prepare`` does more: it checks every cell, takes checksums, fits the
statistics, and splits a test file (a tenth of the training rows' block) as well, which is not counted in its rows.

    python bench/prepare.py --rows 1000000
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BLOCK_ROWS = 100_000


def write_csv(folder: Path, rows: int) -> None:
    from mtbalance.config import SyntheticData
    from mtbalance.data.synthetic import generate

    block = min(rows, BLOCK_ROWS)
    generate(SyntheticData(adapter="synthetic", train_rows=block, test_rows=block // 10), folder)
    header, _, body = (folder / "train.csv").read_bytes().partition(b"\n")
    with (folder / "train.csv").open("wb") as stream:
        stream.write(header + b"\n")
        for _ in range(rows // block):
            stream.write(body)


def with_prepare(folder: Path) -> float:
    from mtbalance.config import AliExpressData, RawFile
    from mtbalance.data.aliexpress import prepare

    files = {f"{side}_csv": RawFile(path=str(folder / f"{side}.csv")) for side in ("train", "test")}
    start = time.perf_counter()
    prepare("bench", AliExpressData(adapter="aliexpress", country="NL", **files), folder / "prepared")
    return time.perf_counter() - start


def with_pandas(folder: Path) -> float:
    import pandas as pd
    import pyarrow.parquet  # noqa: F401  (imported by to_parquet; not to be timed)

    start = time.perf_counter()
    pd.read_csv(folder / "train.csv").to_parquet(folder / "pandas.parquet")
    return time.perf_counter() - start


WAYS = {"prepare": with_prepare, "pandas": with_pandas}


def measure(way: str, folder: Path) -> tuple[float, float]:
    """Seconds and peak megabytes of one way, in a process of its own."""
    command = [sys.executable, __file__, "--way", way, "--folder", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        seconds = float(child.stdout.read())
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    return seconds, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000], help="a table for each number of rows")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        print(WAYS[options.way](options.folder))
        return
    for rows in options.rows:
        compare(rows, options.ways)


def compare(rows: int, ways: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_csv(folder, rows)
        print(f"\n{rows:,} rows, {(folder / 'train.csv').stat().st_size / 1e6:.0f} MB of CSV")
        print(f"{'way':10}{'seconds':>10}{'rows/s':>12}{'peak MB':>10}")
        measured = {way: measure(way, folder) for way in ways}
    for way, (seconds, megabytes) in measured.items():
        print(f"{way:10}{seconds:10.2f}{rows / seconds:12,.0f}{megabytes:10.0f}")
    if len(measured) == len(WAYS):
        (seconds, megabytes), (pandas_seconds, pandas_megabytes) = measured["prepare"], measured["pandas"]
        print(f"prepare / pandas: speed {pandas_seconds / seconds:.2f}, memory {megabytes / pandas_megabytes:.2f}")


if __name__ == "__main__":
    main()
