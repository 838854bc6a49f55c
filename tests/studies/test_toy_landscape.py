import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from mtbalance.studies.toy import evaluate
from mtbalance.studies.toy_landscape import landscape, minimum


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return landscape(0.1)


def part(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    return frame[frame["part"] == name].reset_index(drop=True)


def test_the_balanced_optimum_is_that_of_an_independent_search():
    """Without gradients, on the sum of the losses."""
    found = minimize(lambda point: evaluate(point, 0)[0] + evaluate(point, 1)[0], (1.0, -5.0), method="Nelder-Mead")
    np.testing.assert_allclose(found.x, (0, -8.3551098), atol=1e-3)
    np.testing.assert_allclose(minimum(0.5), (0, -8.3551098), atol=1e-6)
    for task in (0, 1):
        assert evaluate(minimum(0.5), task)[0] == pytest.approx(-15.0916385, abs=1e-7)


def test_the_front_ends_where_one_loss_alone_is_smallest(frame):
    ends = part(frame, "front").iloc[[0, -1]]
    assert ends[["x1", "x2"]].to_numpy() == pytest.approx(np.array([[-7, -8.434], [7, -8.434]]), abs=5e-4)
    assert ends["loss_2"].iloc[0] == pytest.approx(-19.98943, abs=5e-6)
    assert ends["loss_1"].iloc[-1] == pytest.approx(0.1 * -19.98943, abs=5e-6)


def test_known_value_near_an_end():
    assert [float(evaluate(np.array([7.0, -8.355]), task)[0]) for task in (0, 1)] == pytest.approx(
        (-19.98933, -0.39855), abs=1e-5
    )


def test_no_point_of_the_grid_is_better_in_both_losses_than_one_of_the_front(frame):
    grid, front = (part(frame, name)[["loss_1", "loss_2"]].to_numpy() for name in ("grid", "front"))
    for point in front[::7]:
        assert not (grid < point - 1e-9).all(axis=1).any()


def test_along_the_front_one_loss_falls_and_the_other_rises(frame):
    front = part(frame, "front")
    assert (front["loss_1"].diff().dropna() < 0).all()
    assert (front["loss_2"].diff().dropna() > 0).all()
    assert (front["x1"].diff().dropna() < 0.15).all()
