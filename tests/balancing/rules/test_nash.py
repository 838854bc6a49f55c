import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from matrices import J2, J3, J3C, gram, random_rows
from mtbalance.balancing.rows import gram_matrix
from mtbalance.balancing.rules.nash import Nash
from mtbalance.balancing.solvers.ccp import sub_problem


@pytest.mark.parametrize("without_solution", ["keep", "equal"])
@pytest.mark.parametrize("rows", [[[1.0, 1], [-1, -1]], [[0.0, 0], [0, 0]]], ids=["opposed", "zero"])
def test_without_a_bargain_the_last_weights_stay_or_are_equal_and_it_is_counted(without_solution, rows):
    rule = Nash(2, without_solution=without_solution)
    first = rule.weights(gram(J2), np.ones(2))
    expected = {"keep": first, "equal": np.ones(2)}[without_solution]
    np.testing.assert_array_equal(rule.weights(gram(np.array(rows)), np.ones(2)), expected)
    assert rule.diagnostics["fallback"] == 1
    np.testing.assert_allclose(rule.weights(gram(J2), np.ones(2)), first)


def test_one_task_alone_makes_the_joint_row_a_unit():
    np.testing.assert_allclose(Nash(1).weights(np.array([[16.0]]), np.ones(1)), [0.25])


def test_a_task_without_a_gradient_does_not_bargain():
    rule = Nash(3)
    rows = np.vstack([J2, np.zeros(3)])
    np.testing.assert_allclose(rule.weights(gram(rows), np.ones(3)), [0.5914611522, 0.4070714829, 1.0])
    assert rule.diagnostics["fallback"] == 0


def test_the_joint_row_is_as_long_as_the_root_of_the_number_of_tasks():
    joint = Nash(2).weights(gram(J2), np.ones(2)) @ J2
    np.testing.assert_allclose(joint, [0.0765842884, 0.9985326351, 0.9985326351], rtol=1e-8)
    np.testing.assert_allclose(joint @ joint, 2)


@pytest.mark.parametrize("rows", [J2, J3, J3C, random_rows(8, 0)], ids=["J2", "J3", "J3c", "eight"])
def test_the_papers_sequence_of_problems_agrees(rows):
    tasks = len(rows)
    exact = Nash(tasks).weights(gram(rows), np.ones(tasks))
    rule = Nash(tasks, solver="ccp", max_iterations=20)
    np.testing.assert_allclose(rule.weights(gram(rows), np.ones(tasks)), exact, rtol=1e-3)
    assert rule.diagnostics["fallback"] == 0 and rule.diagnostics["iterations"] <= 20


def test_the_sequence_begins_at_the_last_weights_and_a_saved_one_goes_on_bit_for_bit():
    whole, resumed = Nash(3, solver="ccp"), Nash(3, solver="ccp")
    whole.weights(gram(J3), np.ones(3))
    resumed.load_state_dict(json.loads(json.dumps(whole.state_dict())))
    sub_problem(3).solve(np.eye(3), np.ones(3))  # another run's use of the compiled problem
    again = whole.weights(gram(J3C), np.ones(3))
    np.testing.assert_array_equal(resumed.weights(gram(J3C), np.ones(3)), again)


@pytest.mark.parametrize("solver", ["newton", "ccp"])
def test_a_bargain_without_a_solution_carries_its_certificate(solver):
    rule = Nash(3, solver=solver)
    rows = np.array([[1.0, 0], [-0.5, 3**0.5 / 2], [-0.5, -(3**0.5) / 2]])
    np.testing.assert_array_equal(rule.weights(gram(rows), np.ones(3)), np.ones(3))
    assert rule.diagnostics["fallback"] == 1 and rule.diagnostics["certificate"] < 1e-7


@pytest.mark.parametrize("solver", ["newton", "ccp"])
def test_scaling_a_loss_leaves_the_joint_row(solver):
    joint = Nash(3, solver=solver).weights(gram(J3C), np.ones(3)) @ J3C
    scaled = J3C * np.array([[1e-6], [1.0], [1e6]])
    np.testing.assert_allclose(Nash(3, solver=solver).weights(gram(scaled), np.ones(3)) @ scaled, joint, rtol=1e-5)


def test_cvxpy_is_imported_only_where_it_is_asked_for():
    code = "import sys, mtbalance.balancing.rules.nash as nash; nash.Nash(2); assert 'cvxpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_rows_of_float32_that_are_opposed_up_to_rounding_do_not_bargain():
    rule = Nash(2)
    row = torch.randn(10_000, generator=torch.Generator().manual_seed(0))
    for noise in range(20):
        rounded = row * (1 + 1e-4 * torch.randn(10_000, generator=torch.Generator().manual_seed(noise)))
        np.testing.assert_array_equal(rule.weights(gram_matrix([[row, -rounded]]), np.ones(2)), [1, 1])
        assert rule.diagnostics["fallback"] == 1 and rule.diagnostics["certificate"] < np.sqrt(2) / 900
