"""Preparing AliExpress-like CSV: this project's ``prepare`` against pandas' ``read_csv`` and ``to_parquet``.

The CSV is a synthetic block of 100,000 rows in the processed 82-column form, repeated as often as it takes. Both sides
run in a process of their own; memory is that process's peak resident size, interpreter and libraries included, and time
is from the first to the last byte, without imports, into a folder that is empty. ``prepare`` does more: it checks every
cell, takes checksums, fits the statistics, and splits 1,000 test rows, which are not counted and which pandas does not
convert.

    python bench/prepare.py --rows 1000000
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path
from statistics import median

from child import measured

BLOCK_ROWS = 100_000
TEST_ROWS = 1_000
OUTPUT = "prepared"


def write_csv(folder: Path, rows: int) -> float:
    from mtbalance.data.adapters.synthetic import Synthetic

    rates = {"click_rate": 0.3, "conversion_rate": 0.05}  # both labels are in valid and in test
    Synthetic(adapter="synthetic", train_rows=BLOCK_ROWS, test_rows=TEST_ROWS, **rates).generate(folder)
    header, _, body = (folder / "train.csv").read_bytes().partition(b"\n")
    with (folder / "train.csv").open("wb") as stream:
        stream.write(header + b"\n")
        for _ in range(rows // BLOCK_ROWS):
            stream.write(body)
    os.sync()  # the disk is not to be busy with it while the ways are timed
    return 0.0


def with_prepare(folder: Path, _: int) -> float:
    from mtbalance.config.datasets import RawFile
    from mtbalance.data.adapters.aliexpress import AliExpress
    from mtbalance.data.ranking import aliexpress_archive, processed_csv  # noqa: F401  (imported by prepare; not timed)

    files = {f"{side}_csv": RawFile(path=str(folder / f"{side}.csv")) for side in ("train", "test")}
    start = time.perf_counter()
    AliExpress(adapter="aliexpress", country="NL", **files).prepare("bench", folder / OUTPUT)
    return time.perf_counter() - start


def with_pandas(folder: Path, _: int) -> float:
    import pandas as pd
    import pyarrow.parquet  # noqa: F401  (imported by to_parquet; not to be timed)

    start = time.perf_counter()
    pd.read_csv(folder / "train.csv").to_parquet(folder / OUTPUT / "train.parquet")
    return time.perf_counter() - start


WAYS = {"write": write_csv, "prepare": with_prepare, "pandas": with_pandas}


def run(way: str, folder: Path, rows: int) -> tuple[float, float]:
    """Seconds and peak megabytes of one way, in a process of its own."""
    shutil.rmtree(folder / OUTPUT, ignore_errors=True)
    (folder / OUTPUT).mkdir()
    (seconds,), megabytes = measured(__file__, "--way", way, "--folder", folder, "--rows", rows)
    return seconds, megabytes


def compare(rows: int, repeats: int) -> None:
    rows = max(rows // BLOCK_ROWS, 1) * BLOCK_ROWS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run("write", folder, rows)
        size = (folder / "train.csv").stat().st_size / 1e6
        print(f"\n{rows:,} rows, {size:.0f} MB of CSV, {os.cpu_count()} cores; medians of {repeats} runs in turn")
        print(f"{'way':10}{'seconds':>10}{'rows/s':>12}{'peak MB':>10}")
        runs = [[run(way, folder, rows) for way in ("prepare", "pandas")] for _ in range(repeats)]
    for way, found in zip(("prepare", "pandas"), zip(*runs, strict=True), strict=True):
        seconds, peak = map(median, zip(*found, strict=True))
        print(f"{way:10}{seconds:10.2f}{rows / seconds:12,.0f}{peak:10.0f}")
    speeds, memory = zip(*((theirs[0] / ours[0], ours[1] / theirs[1]) for ours, theirs in runs), strict=True)
    spread = f"[{min(speeds):.2f}, {max(speeds):.2f}]"
    print(f"prepare / pandas: speed {median(speeds):.2f} {spread}, memory {median(memory):.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000], help="a table for each")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    for rows in options.rows:
        if options.way:
            print(WAYS[options.way](options.folder, rows))
        else:
            compare(rows, options.repeats)


if __name__ == "__main__":
    main()
