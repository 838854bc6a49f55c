"""What every rule of the package must hold beside the contract (``tests/balancing/contract``)."""

import itertools

import numpy as np
import pytest
import torch

from matrices import J2, J3, J3C, random_rows
from mtbalance.balancing.rows import describe
from mtbalance.balancing.rules import GramRule, LossRule, RowRule
from rule_cases import EXACT, HARD, LOSS_RULES, LOSSES, RULES, SIGNED, apply, direction, losses_of

POSITIVE_LOSSES_ONLY = {"gls", "go4align", "igb", "scale_invariant", "stch"}
OTHER_SCALE = {"uncertainty": "half of one, by its paper", "cagrad": "the mean row and c times its length, times K"}
SCALE_MATTERS = {
    "moco": "its steps on lambda are gamma times the Gram matrix",
    "gradnorm": "Adam's epsilon stands beside slopes of the norms' size",
}


def test_every_rule_sees_losses_a_gram_matrix_or_rows():
    assert all(issubclass(rule, LossRule | GramRule | RowRule) for rule in RULES.values())
    assert len(RULES) >= 18


@pytest.mark.parametrize("name", [name for name in RULES if name not in SIGNED])
def test_weights_are_not_negative(name):
    for case, rows in HARD.items():
        rule = RULES[name](len(rows))
        for _ in range(3):
            assert (apply(rule, rows, losses_of(len(rows)))[1] >= 0).all(), case


@pytest.mark.parametrize("name", [name for name in LOSS_RULES if name not in SIGNED])
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_losses_of_any_scale_give_weights_that_are_not_negative(name, scale):
    rule = RULES[name](3)
    for step in range(60):
        assert (apply(rule, J3, scale * np.array([1, 1e-3, 2 + np.sin(step)]))[1] >= 0).all()


ROUNDED = {
    "graddrop": "draws in its rows' precision",
    "db_mtl": "averages rows over losses, which are rounded in the rows' precision",
}


@pytest.mark.parametrize("name", [name for name in RULES if name not in ROUNDED])
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


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if issubclass(rule, GramRule)])
@pytest.mark.parametrize("case", HARD)
def test_gram_matrices_beyond_the_range_of_float32_are_no_obstacle(name, case):
    """Entries between 1e-80 and 1e80."""
    for scale in (1e-28, 1e28):
        rows = HARD[case] * scale
        rule = RULES[name](len(rows))
        with np.errstate(all="raise", under="ignore"):
            weights = [rule.weights(rows @ rows.T, losses_of(len(rows))) for _ in range(3)][-1]
            geometry = describe(rows @ rows.T, weights)
        assert np.isfinite(weights).all() and np.isfinite(list(geometry.values())).all()
        assert name in SIGNED or (weights >= 0).all()


@pytest.mark.parametrize("name", [name for name in RULES if name not in SCALE_MATTERS])
@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1e12])
def test_a_common_scale_of_the_rows_leaves_the_direction(name, scale):
    rows = [random_rows(3, seed) for seed in range(60)]
    straight = direction(RULES[name](3), rows)
    np.testing.assert_allclose(direction(RULES[name](3), [scale * each for each in rows]), straight, atol=1e-7)


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


@pytest.mark.parametrize("name", [name for name in RULES if name != "pcd"])  # which weighs its target task above all
@pytest.mark.parametrize("tasks", [1, 2, 3, 8])
def test_tasks_that_are_alike_weigh_alike(name, tasks):
    rule = RULES[name](tasks)
    weights = np.mean([apply(rule, np.eye(tasks), np.ones(tasks))[1] for _ in range(2000 if rule.draws else 5)], axis=0)
    np.testing.assert_allclose(weights, weights.mean(), rtol=0.2 if rule.draws else 1e-9)
    assert name in OTHER_SCALE or abs(weights.mean() - 1) < 1e-2


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


SAME_ON_PURPOSE = {
    ("equal", "fixed"): "its default",
    ("dualproj", "equal"): "the sum of these rows opposes no task",
    ("dualproj", "fixed"): "as equal",
    ("gls", "scale_invariant"): "both are 1 / L_k but for a factor of all tasks",
    ("imtl_l", "uncertainty"): "IMTL-L(s) is twice uncertainty weighting at -s, and Adam forgets the factor",
    ("aligned_mtl", "torchjd"): "its default is TorchJD's AlignedMTL",
    ("conflict_free", "imtl_g"): "equal cosines are equal projections on the unit rows: they differ in length alone",
    ("min_norm", "sdmgrad"): "where every task is in SDMGrad's mixture, as with the last of the changing rows",
}
SAME_ON_CONSTANT_CONFLICT = SAME_ON_PURPOSE | {
    ("cagrad", "min_norm"): "where every task is one of the worst-served, d . g_k is the same for all k in both",
    ("min_norm", "moco"): "its limit, with rows that do not change",
    ("cagrad", "moco"): "by the two above",
    ("cagrad", "sdmgrad"): "by the first and SDMGrad's",
    ("moco", "sdmgrad"): "by the second and SDMGrad's",
    ("equal", "excess_mtl"): "excess risks fall alike for all tasks, with rows that do not change",
    ("excess_mtl", "fixed"): "as equal",
    ("dualproj", "excess_mtl"): "as equal",
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


IMPOSSIBLE = {
    "aligned_mtl": [],
    "bandit": [{"eta": -1}, {"rho": 0}],
    "cagrad": [{"c": -0.1}],
    "cosmos": [{"penalty": -1}, {"preference": [1.0]}, {"preference": [0.0, 0.0]}],
    "fairgrad": [{"alpha": 0}],
    "pbi": [{"theta": -1}, {"preference": [1.0]}, {"preference": [0.0, 0.0]}, {"reference": [1.0]}],
    "dynamic_weights": [{"temperature": 0}, {"window": 0}],
    "db_mtl": [{"beta": 1}, {"decay": -1}],
    "excess_mtl": [{"step_size": 0}, {"warmup": 0}],
    "famo": [{"gamma": -1}, {"lr": 0}, {"min_losses": [0.0, 0.0, 0.0]}, {"min_losses": [0.0]}],
    "fixed": [{"weights": [1.0]}, {"weights": [1.0, -1.0]}, {"weights": [0.0, 0.0]}],
    "graddrop": [{"leak": 1.5}],
    "go4align": [{"groups": 0}, {"step_size": 0}],
    "gradcraft": [{"tau": 1.5}, {"epsilon": -1}],
    "gradnorm": [{"alpha": -1}, {"lr": 0}],
    "gradvac": [{"beta": 1.5}],
    "igb": [{"window": 0}],
    "imtl_l": [{"lr": -1}],
    "krum": [{"apart": -1}, {"apart": 1}, {"selected": 0}, {"selected": 3}],
    "ldc_mtl": [{"penalty": -1}, {"lr": 0}],
    "metabalance": [{"target": -1}, {"relax": 2}, {"beta": 1}],
    "moco": [{"beta": 0}, {"gamma": -1}, {"rho": -1}, {"decay": -1}],
    "nash": [{"max_iterations": 0}],
    "pcd": [{"tau": 2}, {"beta": 1}, {"target": -1}],
    "slaw": [{"beta": 1}],
    "stch": [{"mu": 0}, {"preference": [1.0]}, {"preference": [1.0, 0.0]}, {"warmup": 0}, {"window": 26}],
    "sdmgrad": [{"pull": -1}],
    "torchjd": [{"weighting": "NoSuch"}, {"weighting": "MoDo"}],
    "trimmed_mean": [{"trim": 0}, {"trim": 1}],
    "uncertainty": [{"lr": 0}],
}


@pytest.mark.parametrize(("name", "options"), [(name, options) for name in IMPOSSIBLE for options in IMPOSSIBLE[name]])
def test_impossible_options_are_refused_by_name(name, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        RULES[name](2, **options)
