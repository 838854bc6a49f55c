import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from matrices import J2, J3, J3C, gram, random_rows
from mtbalance.balancing.rows import gram_matrix
from mtbalance.balancing.rules.cagrad import CAGrad


@pytest.mark.parametrize(
    ("rows", "c", "weights"),
    [
        (J2, 0.0, [0.5, 0.5]),
        (J2, 0.4, [0.6632993162, 0.5]),
        (J2, 0.5, [0.7041241452, 0.5]),
        (J3, 0.4, [0.5252327795, 0.5252327795, 0.3333333333]),
        (J3C, 0.4, [0.3816614, 0.3707568, 0.5343260]),
        (J3C, 0.5, [0.4226453, 0.4105697, 0.5917034]),
    ],
)
def test_frozen_values(rows, c, weights):
    found = CAGrad(len(rows), c=c, divide_by="none").weights(gram(rows), np.ones(len(rows)))
    np.testing.assert_allclose(found / len(rows), weights, atol=1e-7)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("c", [0.2, 0.9])
def test_it_is_best_for_the_worst_served_task_on_the_ball(seed, c):
    rows = random_rows(4, seed)
    joint = CAGrad(4, c=c, divide_by="none").weights(gram(rows), np.ones(4)) @ rows / 4
    mean = rows.mean(axis=0)
    np.testing.assert_allclose(np.linalg.norm(joint - mean), c * np.linalg.norm(mean))
    dual = minimize(
        lambda w: w @ rows @ mean + c * np.linalg.norm(mean) * np.linalg.norm(w @ rows),
        np.full(4, 0.25),
        bounds=[(0, 1)] * 4,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        options={"ftol": 1e-14},
    )
    np.testing.assert_allclose((rows @ joint).min(), dual.fun, rtol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_a_large_ball_leaves_no_conflict(seed):
    rows = random_rows(6, seed)
    rows = rows - 0.15 * rows.sum(axis=0)
    weights = CAGrad(6, c=1.0).weights(gram(rows), np.ones(6))
    assert (rows @ (weights @ rows) > -1e-9).all()


def test_the_worst_task_is_served_even_with_zero_in_the_hull():
    rows = np.array([[2.0], [-1.0]])  # g_0 = 0.5; the ball's best end for the second task is 0.3
    weights = CAGrad(2, c=0.4, divide_by="none").weights(gram(rows), np.ones(2))
    np.testing.assert_allclose(weights @ rows / 2, [0.3])


@pytest.mark.parametrize(("divide_by", "divisor"), [("none", 1), ("1+c^2", 1.16), ("1+c", 1.4)])
def test_divisors(divide_by, divisor):
    plain = CAGrad(2, divide_by="none").weights(gram(J2), np.ones(2))
    np.testing.assert_allclose(CAGrad(2, divide_by=divide_by).weights(gram(J2), np.ones(2)), plain / divisor)


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_a_common_scale_changes_no_weight(scale):
    expected = CAGrad(3).weights(gram(J3C), np.ones(3))
    np.testing.assert_allclose(CAGrad(3).weights(gram(scale * J3C), np.ones(3)), expected, rtol=1e-9)


@pytest.mark.parametrize(("divide_by", "weight"), [("none", 1.4), ("1+c^2", 1.4 / 1.16), ("1+c", 1.0)])
def test_one_task_is_its_own_conflict(divide_by, weight):
    np.testing.assert_allclose(CAGrad(1, c=0.4, divide_by=divide_by).weights(np.array([[9.0]]), np.ones(1)), [weight])


@pytest.mark.parametrize("c", [1.0, 2.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["single", "double"])
def test_a_large_ball_leaves_no_conflict_with_zero_in_the_hull_either(c, dtype):
    for seed in range(30):
        generator = np.random.default_rng(seed)
        rows = generator.normal(size=(6, 3)) @ np.linalg.qr(generator.normal(size=(20, 3)))[0].T
        weights = CAGrad(6, c=c).weights(gram_matrix([torch.tensor(rows, dtype=dtype)]), np.ones(6))
        gains = rows @ (weights @ rows) / np.linalg.norm(rows, axis=1)
        assert gains.min() >= -1e-3 * np.linalg.norm(rows.sum(axis=0))
