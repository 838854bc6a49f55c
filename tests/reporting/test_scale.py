"""Tables and pages of many runs: what is read once, and how often the collected table is searched."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from mtbalance.reporting import printed
from mtbalance.reporting.answer import answer
from mtbalance.reporting.collect import collect
from mtbalance.reporting.entries import entry_of
from mtbalance.reporting.page.leaderboard import leaderboard

FEW, MANY = 2, 6


@pytest.fixture
def frame(collected: Callable[..., Path]) -> Callable[[int], pd.DataFrame]:
    """A collected table of LS and of so many other methods."""

    def make(methods: int) -> pd.DataFrame:
        names = ["ls", *(f"method_{number}" for number in range(methods))]
        values = {
            ("synthetic_nl", "mmoe", n): [(0.7 + i / 999, 0.8), (0.71 + i**2 / 999, 0.8)] for i, n in enumerate(names)
        }
        return pd.read_parquet(collected(values))

    return make


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> Callable[[pd.DataFrame, Callable[[], object]], int]:
    """How often a call looks through all rows of a table."""

    def count(table: pd.DataFrame, call: Callable[[], object]) -> int:
        found, get = 0, pd.DataFrame.__getitem__

        def counting(self: pd.DataFrame, key: object) -> object:
            nonlocal found
            found += len(self) >= len(table) and isinstance(key, pd.Series)
            return get(self, key)

        with monkeypatch.context() as patch:
            patch.setattr(pd.DataFrame, "__getitem__", counting)
            call()
        return found

    return count


def tabulate(name: str, frame: pd.DataFrame) -> object:
    return entry_of(frame, "tables", name)(frame, "Title", "ls", 0.05)


MADE = {
    **{name: partial(tabulate, name) for name in ("auc", "ne", "cost", "ranks")},
    "answer": lambda frame: answer(frame, "Title", "ls"),
    "leaderboard": lambda frame: leaderboard(frame, "ls", "../"),
}


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_the_collected_table_is_not_searched_for_each_method(make, frame, searches):
    few, many = (frame(methods) for methods in (FEW, MANY))
    assert searches(few, lambda: make(few)) == searches(many, lambda: make(many))


def test_printed_numbers_are_read_once_for_all_methods(frame, monkeypatch):
    table, read = frame(MANY), []
    original = printed._read
    monkeypatch.setattr(printed, "_read", lambda name: read.append(name) or original(name))
    printed.everything.cache_clear()
    tabulate("cost", table)
    assert read.count("pub_table5.csv") == 1


def test_collecting_takes_little_memory_for_each_number(write, tmp_path):
    """Ten seeds of some methods are a million numbers."""
    paths, runs = write({("synthetic_nl", "mmoe", f"method_{number}"): [(0.7, 0.8)] * 5 for number in range(20)})
    metrics = tmp_path / "metrics.parquet"
    collect(paths, runs, [], [], metrics)  # imports, and what is made once
    tracemalloc.start()
    collect(paths, runs, [], [], metrics)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak / len(pd.read_parquet(metrics)) < 1500  # bytes
