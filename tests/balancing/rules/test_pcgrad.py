import itertools

import numpy as np
import pytest

from matrices import J2, J3, J3C, gram
from mtbalance.balancing.rules.pcgrad import PCGrad, project_conflicts


def all_orders(tasks: int) -> list:
    return list(itertools.product(*(itertools.permutations(set(range(tasks)) - {task}) for task in range(tasks))))


def on_rows(rows: np.ndarray, orders) -> np.ndarray:
    """The algorithm as printed, on the rows themselves."""
    total = np.zeros(rows.shape[1])
    for task, order in enumerate(orders):
        row = rows[task].copy()
        for other in order:
            if (product := row @ rows[other]) < 0:
                row -= product / (rows[other] @ rows[other]) * rows[other]
        total += row
    return total


def test_a_pair_in_conflict():
    weights = PCGrad(2).weights(gram(J2), np.ones(2))
    np.testing.assert_allclose(weights, [1 + 22 / 18, 1 + 22 / 38])
    np.testing.assert_allclose(weights @ J2, [0.5847953216, 3.8011695906, 3.8011695906])


@pytest.mark.parametrize("orders", all_orders(3))
def test_every_order_gives_what_projecting_the_rows_gives(orders):
    np.testing.assert_allclose(project_conflicts(gram(J3C), orders) @ J3C, on_rows(J3C, orders), atol=1e-12)


def test_the_mean_over_all_orders_and_their_number():
    results = [project_conflicts(gram(J3C), orders) @ J3C for orders in all_orders(3)]
    np.testing.assert_allclose(
        np.mean(results, axis=0), [1.3222222222, 2.5055555556, 1.4222222222, 3.7611111111], rtol=1e-9
    )
    assert len({tuple(result.round(9)) for result in results}) == 8


def test_draws_are_among_the_orders_and_reach_all_of_them():
    possible = {tuple(project_conflicts(gram(J3C), orders).round(9)) for orders in all_orders(3)}
    rule = PCGrad(3)
    assert {tuple(rule.weights(gram(J3C), np.ones(3)).round(9)) for _ in range(200)} == possible


def test_rows_that_agree_are_added():
    np.testing.assert_array_equal(PCGrad(3).weights(gram(J3), np.ones(3)), np.ones(3))


def test_opposed_rows_vanish():
    rows = np.array([[1.0, 2], [-1, -2]])
    np.testing.assert_allclose(PCGrad(2).weights(gram(rows), np.ones(2)) @ rows, 0, atol=1e-12)
