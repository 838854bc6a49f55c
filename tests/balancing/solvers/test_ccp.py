import cvxpy
import numpy as np
import pytest

from matrices import gram, random_rows
from mtbalance.balancing.solvers import ccp
from mtbalance.balancing.solvers.bargaining import bargain
from mtbalance.balancing.solvers.ccp import bargain_by_ccp, sub_problem


@pytest.mark.parametrize("tasks", [1, 2, 3, 8])
@pytest.mark.parametrize("scale", [0.0, 6.0])
def test_it_agrees_with_newton(tasks, scale):
    for seed in range(4):
        matrix = gram(random_rows(tasks, seed, scale))
        result = bargain_by_ccp(matrix, np.ones(tasks))
        assert result.accepted and result.iterations <= 20
        np.testing.assert_allclose(result.weights, bargain(matrix).weights, rtol=1e-3)


def test_a_start_at_the_solution_ends_at_once():
    matrix = gram(random_rows(3, 0))
    assert bargain_by_ccp(matrix, bargain(matrix).weights).iterations <= 2


def test_a_start_where_a_utility_is_negative_is_left():
    matrix = np.array([[1, -0.6, 0], [-0.6, 1, -0.6], [0, -0.6, 1]])
    assert (matrix @ np.ones(3)).min() < 0
    np.testing.assert_allclose(bargain_by_ccp(matrix, np.ones(3)).weights, bargain(matrix).weights, rtol=1e-3)


def test_the_problem_is_built_once_and_keeps_the_rules_of_parametrised_problems():
    assert sub_problem(4) is sub_problem(4)
    assert sub_problem(4).problem.is_dcp(dpp=True)


def test_an_opposed_pair_is_not_accepted():
    assert not bargain_by_ccp(np.array([[1.0, -1], [-1, 1]]), np.ones(2)).accepted


def test_a_solver_that_fails_is_not_accepted(monkeypatch):
    def fail(*_, **__):
        raise cvxpy.error.SolverError("as told")

    monkeypatch.setattr(ccp.cvxpy.Problem, "solve", fail)
    result = bargain_by_ccp(gram(random_rows(3, 0)), np.ones(3))
    assert not result.accepted and result.certificate > 0.01
