"""The joint rows of all methods on the shared matrices: means where a method's source takes means, else sums."""

import numpy as np
import pytest
import torch

from entries import rule_class
from matrices import J2, J3, J3C, ORTHOGONAL, gram
from mtbalance.balancing.rows import combine, gram_matrix

MEAN = {"min_norm", "imtl_g", "aligned_mtl", "cagrad"}
NAMES = {"J2": J2, "J3": J3, "J3c": J3C, "orthogonal": ORTHOGONAL}
JOINT = [
    ("equal", {}, "J2", [2, 2, 2]),
    ("min_norm", {}, "J2", [0, 1, 1]),
    ("imtl_g", {}, "J2", [0.0766968306, 1, 1]),
    ("nash", {}, "J2", [0.0765842884, 0.9985326351, 0.9985326351]),
    ("aligned_mtl", {}, "J2", [0.2132787460, 0.9673329838, 0.9673329838]),
    ("pcgrad", {}, "J2", [0.5847953216, 3.8011695906, 3.8011695906]),
    ("cagrad", {"c": 0.0}, "J2", [1, 1, 1]),
    ("cagrad", {"c": 0.4}, "J2", [0.3468027353, 1.1632993162, 1.1632993162]),
    ("cagrad", {"c": 0.5}, "J2", [0.1835034191, 1.2041241452, 1.2041241452]),
    ("min_norm", {}, "J3", [1, 1, 1]),
    ("imtl_g", {}, "J3", [0.7356090245, 1.2643909755, 1]),
    ("nash", {}, "J3", [0.8067583789, 1.1710053639, 0.9888818714]),
    ("aligned_mtl", {}, "J3", [0.4747294157, 0.6690218534, 0.5718756346]),
    ("pcgrad", {}, "J3", [2, 4, 3]),
    ("cagrad", {"c": 0.4}, "J3", [1.242365, 1.525233, 1.383799]),
    ("min_norm", {}, "J3c", [0.1864406780, 0.4576271186, 0.2881355932, 0.8305084746]),
    ("imtl_g", {}, "J3c", [0.2510812848, 0.4553185255, 0.2765926277, 0.8212741022]),
    ("nash", {}, "J3c", [0.3525758748, 0.8786604695, 0.5196451330, 1.3541103971]),
    ("aligned_mtl", {}, "J3c", [0.2232892154, 0.5218024787, 0.2985812995, 0.7479508759]),
    ("cagrad", {"c": 0.4}, "J3c", [0.2399015, 0.5888490, 0.3707568, 1.0686519]),
    ("cagrad", {"c": 0.5}, "J3c", [0.2656627, 0.6520812, 0.4105697, 1.1834067]),
    ("conflict_free", {}, "J2", [0.1588089758, 2.0706067581, 2.0706067581]),
    ("conflict_free", {}, "J3", [2.2324499781, 3.8372144866, 3.0348322324]),
    ("conflict_free", {}, "J3c", [0.7573750574, 1.3734472273, 0.8343288408, 2.4773352614]),
    ("conflict_free", {}, "orthogonal", np.full(3, 7 / 3)),
    ("gradcraft", {}, "J2", [0.3463919982, 4.5163795609, 4.5163795609]),
    ("gradcraft", {"tau": 0.5, "epsilon": 0.2}, "J2", [0.3161689293, 4.6181925588, 4.6181925588]),
    ("gradcraft", {}, "J3", [3.4497190923, 4.4832396974, 3.9664793948]),
    ("upgrad", {}, "J2", [0.5847953216, 3.8011695906, 3.8011695906]),
    ("upgrad", {}, "J3", [2, 4, 3]),
    ("upgrad", {}, "J3c", [1.3975346687, 2.6645388510, 1.5230024213, 4.0649350649]),
    ("dualproj", {}, "J2", [10 / 9, 20 / 9, 20 / 9]),
    ("dualproj", {}, "J3c", [1, 2, 1, 2]),
    ("pcd", {"tau": 0.3}, "J2", [1.1522455435, 2.8872417813, 2.8872417813]),
    ("pcd", {"tau": 0.3}, "J3", [0.8583605733, 0.3226668140, 2.0393879605]),
    ("pcd", {"tau": 0.3}, "J3c", [1.1273160861, 1.3920806911, 0.7903149267, 2.4832784999]),
    ("nash", {}, "orthogonal", [1, 1, 1]),
    ("min_norm", {}, "orthogonal", np.array([16, 8, 4]) / 21),
    ("imtl_g", {}, "orthogonal", np.full(3, 4 / 7)),
]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["single", "double"])
@pytest.mark.parametrize(("name", "options", "matrix", "expected"), JOINT)
def test_joint_rows(name, options, matrix, expected, dtype):
    """To the digits printed (7 for CAGrad with three tasks, else 10), and to the rounding of K products and sums."""
    rows = NAMES[matrix]
    tasks = len(rows)
    rule = rule_class(name)(tasks, **options, **({"divide_by": "none"} if name == "cagrad" else {}))
    parts = [list(torch.tensor(rows, dtype=dtype))]
    weights = rule.weights(gram_matrix(parts), np.ones(tasks)) / (tasks if name in MEAN else 1)
    printed = 5e-7 if name == "cagrad" and tasks == 3 else 5e-10
    rounding = (tasks + 1) * torch.finfo(dtype).eps * (np.abs(weights) @ np.abs(rows)).max()
    np.testing.assert_allclose(combine(parts[0], weights), expected, rtol=0, atol=1.01 * (printed + rounding))


@pytest.mark.parametrize(("rows", "squared"), [(J2, 3.8339080528), (J3, 3.0)], ids=["J2", "J3"])
def test_aligned_rows_are_orthogonal_with_the_smallest_eigenvalue_as_square(rows, squared):
    """1'BGB1 = K times it."""
    weights = rule_class("aligned_mtl")(len(rows)).weights(gram(rows), np.ones(len(rows)))
    np.testing.assert_allclose(weights @ gram(rows) @ weights, len(rows) * squared, rtol=1e-10)


def test_the_dual_weights_of_conflict_averse_rows_without_conflict_are_on_two_of_three():
    weights = rule_class("cagrad")(3, c=0.4, divide_by="none").weights(gram(J3), np.ones(3)) / 3
    added = weights - 1 / 3
    np.testing.assert_allclose(added / added.sum(), [0.5, 0.5, 0], atol=1e-7)


def test_two_tasks_bargain_along_the_bisector_of_imtl_g():
    """Both directions are the bisector's: the two methods differ in length alone."""
    for seed in range(10):
        rows = np.random.default_rng(seed).normal(size=(2, 5)) * [[1.0], [30.0]]
        nash, imtl = (rule_class(name)(2).weights(gram(rows), np.ones(2)) @ rows for name in ("nash", "imtl_g"))
        np.testing.assert_allclose(nash / np.linalg.norm(nash), imtl / np.linalg.norm(imtl), rtol=1e-9)
