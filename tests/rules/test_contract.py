"""What every rule that sees a Gram matrix must hold, whatever it computes."""

import json

import numpy as np
import pytest

from matrices import J2, J3, J3C, gram, random_rows
from mtbalance.registry import available, load
from mtbalance.rules import GramRule, LossRule

RULES = {name: load("mtbalance.rules", name) for name in available("mtbalance.rules")}
GRAM_RULES = [name for name, rule in RULES.items() if issubclass(rule, GramRule)]
HARD = {
    "one task": np.array([[2.0, 1]]),
    "eight tasks": random_rows(8, 0),
    "one zero row": np.array([[0.0, 0, 0], [1, 2, 3]]),
    "all zero": np.zeros((3, 4)),
    "opposed": np.array([[1.0, -2], [-1, 2]]),
    "rank one": np.array([[1.0, 1], [2, 2], [3, 3]]),
    "zero in the hull": np.array([[1.0, 0], [-0.5, 3**0.5 / 2], [-0.5, -(3**0.5) / 2]]),
    "tiny": J3 * 1e-12,
    "huge": J3 * 1e12,
    "spread": random_rows(3, 1, scale=6),
}


def weigh(name: str, rows: np.ndarray) -> np.ndarray:
    return RULES[name](len(rows)).weights(gram(rows), np.ones(len(rows)))


def test_every_rule_sees_losses_or_a_gram_matrix():
    assert RULES and all(issubclass(rule, GramRule | LossRule) for rule in RULES.values())


@pytest.mark.parametrize("name", GRAM_RULES)
@pytest.mark.parametrize("case", HARD)
def test_weights_are_finite_and_not_negative(name, case):
    weights = weigh(name, HARD[case])
    assert weights.shape == (len(HARD[case]),) and np.isfinite(weights).all() and (weights >= 0).all()


@pytest.mark.parametrize("name", GRAM_RULES)
@pytest.mark.parametrize("rows", [J2, J3, J3C, random_rows(8, 2)], ids=["J2", "J3", "J3c", "eight"])
def test_permuting_tasks_permutes_weights(name, rows):
    order = np.random.default_rng(0).permutation(len(rows))
    np.testing.assert_allclose(weigh(name, rows[order]), weigh(name, rows)[order], rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("name", GRAM_RULES)
def test_the_same_row_for_all_tasks_gives_the_direction_of_each(name):
    weights = weigh(name, np.tile([1.0, 2.0], (3, 1)))
    assert weights.sum() > 0


@pytest.mark.parametrize("name", GRAM_RULES)
def test_memory_goes_through_json_and_continues(name):
    first, second = RULES[name](3), RULES[name](3)
    matrices = [gram(random_rows(3, seed)) for seed in range(6)]
    for matrix in matrices[:3]:
        first.weights(matrix, np.ones(3))
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    for matrix in matrices[3:]:
        np.testing.assert_array_equal(first.weights(matrix, np.ones(3)), second.weights(matrix, np.ones(3)))


def test_no_two_rules_compute_the_same():
    results = {name: tuple(np.round(weigh(name, J3C), 6)) for name in GRAM_RULES}
    assert len(set(results.values())) == len(results), results


@pytest.mark.parametrize("name", RULES)
def test_no_tasks_are_refused(name):
    with pytest.raises(ValueError, match="at least one task"):
        RULES[name](0)
