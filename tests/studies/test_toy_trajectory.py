"""A few seconds of what the study does: a learning rate twenty times as large, and a fifteenth of the steps."""

import numpy as np
import pandas as pd
import pytest

from mtbalance.balancing.levels.update import UpdateLevel
from mtbalance.balancing.rows import gram_matrix
from mtbalance.reporting.toy.table import to_line
from mtbalance.studies.toy_landscape import landscape, minimum
from mtbalance.studies.toy_methods import METHODS, STARTS, options
from mtbalance.studies.toy_trajectory import trajectories, trajectory

SHORT = {"scale": 1.0, "steps": 2000, "lr": 2e-2, "every": 500}
POINT = ["x1", "x2"]


@pytest.fixture(scope="module")
def front() -> np.ndarray:
    frame = landscape(1.0)
    return frame.loc[frame["part"] == "front", POINT].to_numpy()


def follow(method: str, start: int, **changed) -> pd.DataFrame:
    settings = SHORT | changed
    return trajectory(STARTS[start], options(method, settings["scale"]), **settings)


def end(way: pd.DataFrame) -> np.ndarray:
    return way[POINT].to_numpy()[-1]


@pytest.mark.parametrize("start", [3, 4], ids=["left", "right"])
@pytest.mark.parametrize("method", ["nashmtl", "pub", "pub_as_solved"])
def test_bargaining_lowers_both_losses_and_ends_near_the_front(method, start, front):
    """From the starts outside the logarithms' valleys. Measured: 0.09 from the front, and 0.06 for PUB as solved."""
    way = follow(method, start)
    assert way["step"].iloc[-1] == SHORT["steps"]
    assert (way[["loss_1", "loss_2"]].iloc[-1] < way[["loss_1", "loss_2"]].iloc[0]).all()
    assert to_line(end(way)[None], front)[0] < 0.25


def test_pub_as_solved_ends_at_the_balanced_optimum_where_nashmtl_ends_far_from_it():
    """Measured from the right: 0.06 and 5.2."""
    assert np.linalg.norm(end(follow("pub_as_solved", 4)) - minimum(0.5)) < 0.5
    assert np.linalg.norm(end(follow("nashmtl", 4)) - minimum(0.5)) > 3


@pytest.mark.parametrize("method", ["pub", "pub_as_solved"])
def test_every_search_of_pub_gives_every_task_a_positive_utility(method, monkeypatch):
    """d_i . Delta > 0 all the way down from the upper left, through a valley and over the kink."""
    utilities, search = [], UpdateLevel.balance

    def watched(level, rows, values):
        joint, weights, diagnostics = search(level, rows, values)
        utilities.append(gram_matrix(rows) @ weights)
        return joint, weights, diagnostics

    monkeypatch.setattr(UpdateLevel, "balance", watched)
    follow(method, 0)
    assert len(utilities) == SHORT["steps"]
    assert np.min(utilities) > 0


@pytest.mark.parametrize("method", METHODS)
def test_the_same_way_twice(method):
    way, again = (follow(method, 2, steps=60, every=25) for _ in range(2))
    pd.testing.assert_frame_equal(way, again, check_exact=True)
    assert way["step"].tolist() == [0, 25, 50, 60]
    assert tuple(way.loc[0, POINT]) == STARTS[2]
    assert (end(way) < STARTS[2]).all()


def test_at_the_kink_every_method_goes_down():
    for method in METHODS:
        assert end(follow(method, 1, steps=20))[1] < -0.1


def test_trajectories_are_those_of_all_starts_with_their_settings():
    frame = trajectories("imtl_g", scale=0.1, steps=4, every=2)
    assert frame.groupby("start")["step"].agg(list).tolist() == [[0, 2, 4]] * 5
    assert [tuple(frame.loc[frame["start"] == number, POINT].iloc[0]) for number in range(5)] == list(STARTS)
    assert frame.attrs["scale"] == 0.1
    assert frame.attrs["steps"] == 4


def test_famo_is_told_bounds_that_follow_the_scale():
    assert options("famo", 0.1)["min_losses"] == pytest.approx([-2.1, -21])


def test_a_way_ends_where_losses_are_not_finite():
    way = trajectory((np.nan, -1.0), options("pub", 1.0), **SHORT)
    assert way["step"].tolist() == [0]
    assert way["loss_1"].isna().all()


def test_a_way_of_famo_ends_where_a_loss_is_below_its_bound():
    way = trajectory(STARTS[1], options("famo", 1.0) | {"min_losses": [-1.0, -21.0]}, **SHORT)
    assert 0 < way["step"].iloc[-1] < SHORT["steps"]
    assert np.isfinite(way.to_numpy()).all()
