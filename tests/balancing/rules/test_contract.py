"""What every rule must hold, whatever it sees and computes."""

import copy
import itertools
import json

import numpy as np
import pytest
import torch

from matrices import J2, J3, J3C, random_rows
from mtbalance.balancing.rules import GramRule, LossRule, RowRule
from rule_cases import EXACT, HARD, LOSS_RULES, LOSSES, RULES, SIGNED, STATELESS, apply, direction, losses_of

POSITIVE_LOSSES_ONLY = {"scale_invariant"}
OTHER_SCALE = {"uncertainty": "half of one, by its paper", "cagrad": "the mean row and c times its length, times K"}
SCALE_MATTERS = {
    "moco": "its steps on lambda are gamma times the Gram matrix",
    "gradnorm": "Adam's epsilon stands beside slopes of the norms' size",
}


def test_every_rule_sees_losses_a_gram_matrix_or_rows():
    assert all(issubclass(rule, LossRule | GramRule | RowRule) for rule in RULES.values())
    assert len(RULES) >= 18


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("case", HARD)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["single", "double"])
def test_what_comes_out_is_finite_and_of_the_declared_sign(name, case, dtype):
    rows = HARD[case]
    rule = RULES[name](len(rows))
    for _ in range(3):
        joint, weights = apply(rule, rows, losses_of(len(rows)), dtype)
        assert joint.shape == rows.shape[1:] and np.isfinite(joint).all()
        assert weights.shape == (len(rows),) and np.isfinite(weights).all()
        assert name in SIGNED or (weights >= 0).all()
        assert all(np.isfinite(value) for value in rule.diagnostics.values())


@pytest.mark.parametrize("name", [name for name in RULES if name != "graddrop"])  # which draws in its rows' precision
@pytest.mark.parametrize("case", EXACT)
def test_single_precision_changes_no_weight_and_rounds_the_joint_row(name, case):
    """Each weight is rounded, and each product and sum: (K + 1) roundings on the way of every term."""
    rows = EXACT[case]
    single, double = RULES[name](len(rows)), RULES[name](len(rows))
    for losses in LOSSES[: 1 if name == "moco" else 40, : len(rows)]:  # what moco tracks is rounded from step to step
        joint, weights = apply(single, rows, losses, torch.float32)
        expected, same = apply(double, rows, losses)
        np.testing.assert_array_equal(weights, same)
        rounding = (len(rows) + 1) * np.finfo(np.float32).eps / 2
        assert (np.abs(joint - expected) <= 1.01 * rounding * (np.abs(weights) @ np.abs(rows))).all()


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if issubclass(rule, GramRule)])
def test_a_gram_matrix_with_the_rounding_of_single_precision_is_no_obstacle(name):
    for seed in range(30):
        rows = random_rows(4, seed, scale=2) @ np.random.default_rng(seed).normal(size=(7, 20))
        rows[3] = (-rows[:3].sum(axis=0), -2 * rows[0], rows[1])[seed % 3]  # opposed, or dependent
        _, weights = apply(RULES[name](4), rows, losses_of(4), torch.float32)
        assert np.isfinite(weights).all() and (name in SIGNED or (weights >= 0).all())


@pytest.mark.parametrize("name", [name for name in RULES if name not in SCALE_MATTERS])
@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1e12])
def test_a_common_scale_of_the_rows_leaves_the_direction(name, scale):
    rows = [random_rows(3, seed) for seed in range(60)]
    straight = direction(RULES[name](3), rows)
    np.testing.assert_allclose(direction(RULES[name](3), [scale * each for each in rows]), straight, atol=1e-7)


@pytest.mark.parametrize("name", LOSS_RULES)
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_losses_of_any_scale_give_finite_weights(name, scale):
    rule = RULES[name](3)
    for step in range(60):
        _, weights = apply(rule, J3, scale * np.array([1, 1e-3, 2 + np.sin(step)]))
        assert np.isfinite(weights).all() and (weights >= 0).all()


@pytest.mark.parametrize("name", LOSS_RULES)
def test_a_loss_of_zero_gives_finite_weights_or_says_what_is_wrong(name):
    rule, losses = RULES[name](2), np.array([0.0, 1.0])
    if name in POSITIVE_LOSSES_ONLY:
        with pytest.raises(FloatingPointError, match=name):
            apply(rule, J2, losses)
        return
    for _ in range(60):
        _, weights = apply(rule, J2, losses)
        assert np.isfinite(weights).all()


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("tasks", [1, 2, 3, 8])
def test_tasks_that_are_alike_weigh_alike(name, tasks):
    rule = RULES[name](tasks)
    weights = np.mean([apply(rule, np.eye(tasks), np.ones(tasks))[1] for _ in range(2000 if rule.draws else 5)], axis=0)
    np.testing.assert_allclose(weights, weights.mean(), rtol=0.2 if rule.draws else 1e-9)
    assert name in OTHER_SCALE or abs(weights.mean() - 1) < 1e-2


@pytest.mark.parametrize("name", STATELESS)
@pytest.mark.parametrize("rows", [J2, J3, J3C, random_rows(8, 2)], ids=["J2", "J3", "J3c", "eight"])
def test_permuting_tasks_permutes_weights(name, rows):
    order = np.random.default_rng(0).permutation(len(rows))
    straight, permuted = RULES[name](len(rows)), RULES[name](len(rows))
    for losses in LOSSES[:, : len(rows)]:
        joint, weights = apply(straight, rows, losses)
        same_joint, same_weights = apply(permuted, rows[order], losses[order])
        np.testing.assert_allclose(same_weights, weights[order], rtol=1e-7, atol=1e-10)
        np.testing.assert_allclose(same_joint, joint, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("name", ["pcgrad", "random_weights"])
def test_permuting_tasks_permutes_the_distribution_of_drawn_weights(name):
    def mean(rows: np.ndarray) -> np.ndarray:
        rule = RULES[name](3)
        return np.mean([apply(rule, rows, np.ones(3))[1] for _ in range(4000)], axis=0)

    np.testing.assert_allclose(mean(J3C[[2, 0, 1]]), mean(J3C)[[2, 0, 1]], rtol=0.05)


@pytest.mark.parametrize("name", RULES)
def test_the_same_row_for_all_tasks_gives_the_direction_of_each(name):
    joint, _ = apply(RULES[name](3), np.tile([1.0, 2.0], (3, 1)), np.ones(3))
    assert joint[0] > 0
    np.testing.assert_allclose(joint[1], 2 * joint[0])


@pytest.mark.parametrize("name", RULES)
def test_a_saved_memory_continues_bit_for_bit(name):
    first, second = RULES[name](3), RULES[name](3)
    first.seed(5)
    for step, losses in enumerate(LOSSES[:30, :3]):
        apply(first, random_rows(3, step), losses)
    apply(second, random_rows(3, 99), LOSSES[40, :3])  # something to be overwritten
    second.load_state_dict(saved(first))
    for step, losses in enumerate(LOSSES[30:, :3]):
        for one, other in zip(
            apply(first, random_rows(3, step), losses), apply(second, random_rows(3, step), losses), strict=True
        ):
            np.testing.assert_array_equal(one, other)


def saved(rule) -> dict:
    """What a checkpoint keeps: JSON, and for rules that see rows also tensors."""
    state = copy.deepcopy(rule.state_dict())
    return state if isinstance(rule, RowRule) else json.loads(json.dumps(state))


@pytest.mark.parametrize("name", RULES)
def test_what_was_saved_does_not_change_with_later_steps(name):
    rule = RULES[name](3)
    apply(rule, J3C, LOSSES[0, :3])
    state = rule.state_dict()
    before = copy.deepcopy(state)
    for losses in LOSSES[1:4, :3]:
        apply(rule, J3C[[2, 0, 1]], losses)
    assert repr(state) == repr(before)


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.draws])
def test_a_seed_repeats_the_draws_and_another_does_not(name):
    def drawn(seed: int) -> list[float]:
        rule = RULES[name](3)
        rule.seed(seed)
        return [apply(rule, J3C, np.ones(3))[0].tolist() for _ in range(10)]

    assert drawn(1) == drawn(1) != drawn(2)


@pytest.mark.parametrize("name", RULES)
def test_arguments_are_not_changed(name):
    rule, losses = RULES[name](3), LOSSES[0, :3].copy()
    rows = torch.tensor(J3C) if isinstance(rule, RowRule) else J3C @ J3C.T
    seen = [losses] if isinstance(rule, LossRule) else [rows, losses]
    before = copy.deepcopy(seen)
    for _ in range(3):
        weights = rule.combine([rows], losses)[1] if isinstance(rule, RowRule) else rule.weights(*seen)
        weights[:] = 7
    for one, other in zip(seen, before, strict=True):
        np.testing.assert_array_equal(one, other)


SAME_ON_PURPOSE = {
    ("imtl_l", "uncertainty"): "IMTL-L(s) is twice uncertainty weighting at -s, and Adam forgets the factor",
}
SAME_ON_CONSTANT_CONFLICT = SAME_ON_PURPOSE | {
    ("cagrad", "min_norm"): "where every task is one of the worst-served, d . g_k is the same for all k in both",
    ("min_norm", "moco"): "its limit, with rows that do not change",
    ("cagrad", "moco"): "by the two above",
}


@pytest.mark.parametrize(
    ("rows", "exceptions"),
    [([J3C] * 60, SAME_ON_CONSTANT_CONFLICT), ([random_rows(3, seed) for seed in range(60)], SAME_ON_PURPOSE)],
    ids=["J3c", "changing rows"],
)
def test_no_two_rules_go_the_same_way(rows, exceptions):
    ways = {name: direction(RULES[name](3), rows) for name in sorted(RULES)}
    pairs = itertools.combinations(ways, 2)
    assert {pair for pair in pairs if ways[pair[0]] @ ways[pair[1]] > 1 - 1e-9} == set(exceptions)


@pytest.mark.parametrize("name", RULES)
def test_no_tasks_are_refused(name):
    with pytest.raises(ValueError, match="at least one task"):
        RULES[name](0)


IMPOSSIBLE = {
    "aligned_mtl": [],
    "bandit": [{"eta": -1}, {"rho": 0}],
    "cagrad": [{"c": -0.1}],
    "dynamic_weights": [{"temperature": 0}, {"window": 0}],
    "famo": [{"gamma": -1}, {"lr": 0}, {"min_losses": [0.0, 0.0, 0.0]}, {"min_losses": [0.0]}],
    "graddrop": [{"leak": 1.5}],
    "gradnorm": [{"alpha": -1}, {"lr": 0}],
    "imtl_l": [{"lr": -1}],
    "moco": [{"beta": 0}, {"gamma": -1}, {"rho": -1}, {"decay": -1}],
    "nash": [{"max_iterations": 0}],
    "uncertainty": [{"lr": 0}],
}


@pytest.mark.parametrize(("name", "options"), [(name, options) for name in IMPOSSIBLE for options in IMPOSSIBLE[name]])
def test_impossible_options_are_refused_by_name(name, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        RULES[name](2, **options)


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if issubclass(rule, RowRule)])
def test_rows_may_be_spread_over_tensors_of_single_precision(name):
    rows = [torch.randn(2, 3, 4), torch.randn(2, 5), torch.randn(2)]
    joint, weights = RULES[name](2).combine(rows, np.ones(2))
    assert [tensor.shape for tensor in joint] == [(3, 4), (5,), ()]
    assert {tensor.dtype for tensor in joint} == {torch.float32}
    assert weights.dtype == np.float64
