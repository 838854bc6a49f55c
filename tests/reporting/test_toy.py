"""The report on the toy problem, from trajectories and a landscape that were drawn by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mtbalance.reporting.toy import write_report
from mtbalance.reporting.toy.table import ends, to_line

SETTINGS = {"scale": 1.0, "steps": 20, "lr": 0.001}


def landscape() -> pd.DataFrame:
    axis = np.linspace(-11, 11, 12)
    x1, x2 = (axes.ravel() for axes in np.meshgrid(axis, axis))
    grid = pd.DataFrame({"x1": x1, "x2": x2, "loss_1": x1**2, "loss_2": x2**2, "part": "grid"})
    front = pd.DataFrame({"x1": [-7.0, 0.0, 7.0], "x2": -8.0, "loss_1": 0.0, "loss_2": 0.0, "part": "front"})
    return pd.concat([grid, front, front.iloc[[1]].assign(part="optimum")], ignore_index=True)


def ways(last: list[tuple[float, float]]) -> pd.DataFrame:
    """From (0, 0) to each of ``last``; the rows of the starts are mixed, steps in order."""
    rows = [(number, 0, 0.0, 0.0) for number in range(len(last))]
    rows += [(number, 20, *point) for number, point in enumerate(last)]
    frame = pd.DataFrame(rows, columns=["start", "step", "x1", "x2"]).assign(loss_1=1.0, loss_2=2.0)
    frame.attrs = SETTINGS
    return frame


def test_distances_to_a_line_of_two_pieces():
    points = np.array([[-1.0, 1.0], [0.5, 0.0], [1.0, -0.5], [3.0, 3.0], [1.0, 1.0]])
    line = np.array([[0.0, 1.0], [1.0, 1.0], [1.0, 2.0]])
    assert to_line(points, line) == pytest.approx([1, 1, 1.5, np.sqrt(5), 0])


def test_an_end_is_the_last_point_with_its_distances():
    table = ends({"pub": ways([(0.0, -8.4), (3.0, -4.0), (9.0, -8.0)])}, landscape())
    assert table["step"].tolist() == [20] * 3
    assert table["to_front"].tolist() == pytest.approx([0.4, 4, 2])
    assert table["to_optimum"].tolist() == pytest.approx([0.4, 5, 9])
    assert table["reached"].tolist() == [True, False, False]


def report(folder: Path, methods: list[str]) -> Path:
    folder.mkdir()
    landscape().to_parquet(folder / "landscape.parquet")
    paths = [folder / f"{method}.parquet" for method in methods]
    for number, path in enumerate(paths):
        ways([(0.0, -8.0 + number), (5.0, -8.0)]).to_parquet(path)
    write_report(folder / "landscape.parquet", paths, folder / "toy")
    return folder / "toy"


def test_the_same_numbers_give_the_same_files(tmp_path: Path):
    first, second = (report(tmp_path / name, ["cagrad", "pub"]) for name in ("a", "b"))
    for suffix in (".png", ".pdf", ".svg", ".csv"):
        assert first.with_suffix(suffix).read_bytes() == second.with_suffix(suffix).read_bytes()


def test_the_table_has_a_row_for_each_method_and_start(tmp_path: Path):
    table = pd.read_csv(report(tmp_path / "a", ["cagrad", "pub"]).with_suffix(".csv"))
    assert list(zip(table["method"], table["start"], strict=True)) == [
        ("cagrad", 0),
        ("cagrad", 1),
        ("pub", 0),
        ("pub", 1),
    ]
    assert table["reached"].tolist() == [True, False, False, False]
