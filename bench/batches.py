"""Shuffled training batches: this project's ``RankingRows`` against a ``DataLoader`` over single samples.

Both read the same synthetic AliExpress-like rows, each in a process of its own. The loader is torch's, with its
default collation and no workers, over a ``Dataset`` whose ``__getitem__`` indexes tensors that are in memory already.
``RankingRows`` starts from Parquet: its epoch 1 includes decoding, and its mean over all epochs is what a run sees. Of
more than half a million rows the first run decodes into a file; ``again`` is a second run, which finds the file. Memory
is the process's peak resident size, libraries and mapped rows included.

    python bench/batches.py --rows 1000000 --batch 2048 --epochs 3
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from child import measured
from mtbalance.data.ranking.batches import RankingRows


class Samples(Dataset):
    """Rows one by one, as most published code has them."""

    def __init__(self, tensors: list[torch.Tensor]) -> None:
        self.tensors = tensors

    def __len__(self) -> int:
        return len(self.tensors[0])

    def __getitem__(self, row: int) -> tuple[torch.Tensor, ...]:
        return tuple(tensor[row] for tensor in self.tensors)


def write_rows(folder: Path, options: argparse.Namespace) -> list[float]:
    from mtbalance.config.datasets import RawFile
    from mtbalance.data.adapters.aliexpress import AliExpress
    from mtbalance.data.adapters.synthetic import Synthetic

    rates = {"click_rate": 0.3, "conversion_rate": 0.05}  # both labels are in valid and in test
    Synthetic(adapter="synthetic", train_rows=options.rows, test_rows=1000, **rates).generate(folder)
    files = {f"{side}_csv": RawFile(path=str(folder / f"{side}.csv")) for side in ("train", "test")}
    AliExpress(adapter="aliexpress", country="NL", **files).prepare("bench", folder)
    return []


def timed(batches: Iterable) -> float:
    start = time.perf_counter()
    for _ in batches:
        pass
    return time.perf_counter() - start


def with_rows(folder: Path, options: argparse.Namespace) -> list[float]:
    rows, random = RankingRows(folder, "train"), np.random.default_rng(0)
    return [timed(rows.batches(options.batch, random)) for _ in range(options.epochs)]


def with_loader(folder: Path, options: argparse.Namespace) -> list[float]:
    (ids, numbers), labels = next(RankingRows(folder, "train").batches(10**9, None))
    loader = DataLoader(Samples([ids, numbers, *labels]), options.batch, shuffle=True)
    return [timed(loader) for _ in range(options.epochs)]


WAYS = {"write": write_rows, "rows": with_rows, "again": with_rows, "loader": with_loader}


def measure(way: str, options: argparse.Namespace, folder: Path) -> tuple[list[float], float]:
    """Seconds of each epoch, and peak megabytes, in a process of its own."""
    sizes = ("--rows", options.rows, "--batch", options.batch, "--epochs", options.epochs)
    return measured(__file__, "--way", way, "--folder", folder, *sizes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=2048)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        print(*WAYS[options.way](options.folder, options))
    else:
        compare(options)


def compare(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as name:
        measure("write", options, Path(name))
        found = {way: measure(way, options, Path(name)) for way in ("rows", "again", "loader")}
    print(f"{options.rows:,} rows, batches of {options.batch}, {options.epochs} epochs; rows/s")
    print(f"{'way':8}{'epoch 1':>14}{'last epoch':>14}{'mean':>14}{'peak MB':>10}")
    means = {}
    for way, (seconds, megabytes) in found.items():
        means[way] = options.rows * len(seconds) / sum(seconds)
        first, last = options.rows / seconds[0], options.rows / seconds[-1]
        print(f"{way:8}{first:14,.0f}{last:14,.0f}{means[way]:14,.0f}{megabytes:10.0f}")
    print(f"rows / loader, mean over the epochs: {means['rows'] / means['loader']:.1f}")


if __name__ == "__main__":
    main()
