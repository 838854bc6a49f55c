"""Rules against an independent library, TorchJD, on sampled rows. Both get the same Jacobian and give a joint row.

TorchJD's MGDA, CAGrad, IMTL-G and Aligned-MTL are on the scale of a mean; ours are on that of a sum, K times as long.
"""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matrices import gram
from mtbalance.balancing.rules.aligned_mtl import AlignedMTL
from mtbalance.balancing.rules.cagrad import CAGrad
from mtbalance.balancing.rules.graddrop import GradDrop
from mtbalance.balancing.rules.imtl_g import IMTLG
from mtbalance.balancing.rules.min_norm import MinNorm
from mtbalance.balancing.rules.pcgrad import PCGrad

torchjd = pytest.importorskip("torchjd.aggregation", reason="TorchJD, the independent oracle, is not installed")

sampled = settings(deadline=None, max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def jacobians(draw, least: int = 1, most: int = 6, scale: float = 1.0):
    """Rows of full rank: normal entries, a common part that makes rows agree or conflict, lengths of their own."""
    tasks = draw(st.integers(least, most))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    common = draw(st.sampled_from([-0.3, 0.0, 0.3, 1.0]))
    rows = generator.normal(size=(tasks, tasks + 4))
    rows = rows + common * rows.sum(axis=0)
    return rows * 10 ** generator.uniform(-scale, scale, (tasks, 1))


def ours(rule, rows: np.ndarray) -> np.ndarray:
    return rule.weights(gram(rows), np.ones(len(rows))) @ rows


def theirs(aggregator, rows: np.ndarray) -> np.ndarray:
    return aggregator(torch.tensor(rows)).numpy()


@sampled
@given(jacobians(most=4))
def test_mgda(rows):
    """Theirs is Frank-Wolfe, which stops at a step below epsilon: ours is never longer, and theirs comes near."""
    mean = ours(MinNorm(len(rows)), rows) / len(rows)
    other = theirs(torchjd.MGDA(epsilon=1e-5, max_iters=3000), rows)
    shortest = np.linalg.norm(rows, axis=1).min()
    assert np.linalg.norm(mean) <= np.linalg.norm(other) * (1 + 1e-9)
    assert np.linalg.norm(mean - other) <= 0.05 * shortest


@sampled
@given(jacobians(least=2, most=2))
def test_pcgrad_of_two_tasks(rows):
    np.testing.assert_allclose(ours(PCGrad(2), rows), theirs(torchjd.PCGrad(), rows), rtol=1e-8, atol=1e-10)


@settings(sampled, max_examples=10)
@given(jacobians(least=3, most=3))
def test_pcgrad_of_three_tasks_has_the_same_outcomes(rows):
    """The orders are drawn by different generators: what each can reach is compared."""
    rule, aggregator = PCGrad(3), torchjd.PCGrad()
    torch.manual_seed(0)

    def outcomes(draw) -> np.ndarray:
        return np.unique(np.array([draw() for _ in range(100)]).round(7), axis=0)

    reached = outcomes(lambda: ours(rule, rows)), outcomes(lambda: theirs(aggregator, rows))
    assert reached[0].shape == reached[1].shape
    np.testing.assert_allclose(*reached, atol=1e-6)


@sampled
@given(jacobians(scale=0.3), st.sampled_from([0.1, 0.4, 0.9]))
def test_cagrad(rows, c):
    """Theirs solves the dual to an interior-point solver's tolerance, and never divides."""
    mean = ours(CAGrad(len(rows), c=c, divide_by="none"), rows) / len(rows)
    other = theirs(torchjd.CAGrad(c=c), rows)
    np.testing.assert_allclose(mean, other, atol=1e-3 * np.linalg.norm(mean))


@sampled
@given(jacobians(scale=0.5))
def test_imtl_g(rows):
    """Where the solution's sum is negative theirs goes against every task, and ours falls back to equal weights."""
    rule = IMTLG(len(rows))
    mean, other = ours(rule, rows) / len(rows), theirs(torchjd.IMTLG(), rows)
    if rule.diagnostics["fallback"]:
        assert (rows @ other < 0).all()
    else:
        np.testing.assert_allclose(mean, other, rtol=1e-5, atol=1e-6 * np.linalg.norm(other))


@sampled
@given(jacobians(scale=0.5), st.sampled_from(["min", "median", "rmse"]))
def test_aligned_mtl(rows, scale):
    mean = ours(AlignedMTL(len(rows), scale=scale), rows) / len(rows)
    other = theirs(torchjd.AlignedMTL(scale_mode=scale), rows)
    np.testing.assert_allclose(mean, other, rtol=1e-6, atol=1e-8 * np.linalg.norm(other))


@settings(sampled, max_examples=20)
@given(jacobians(least=2, most=4))
def test_graddrop(rows):
    """The generators differ: the two values of each coordinate and their chances are compared."""
    rule, aggregator = GradDrop(len(rows)), torchjd.GradDrop()
    torch.manual_seed(0)
    mine = np.array([rule.combine([torch.tensor(rows)], np.ones(len(rows)))[0][0].numpy() for _ in range(400)])
    other = np.array([theirs(aggregator, rows) for _ in range(400)])
    np.testing.assert_allclose(mine.max(axis=0), other.max(axis=0))
    np.testing.assert_allclose(mine.min(axis=0), other.min(axis=0))
    spread = np.abs(rows).sum(axis=0)
    np.testing.assert_allclose(mine.mean(axis=0) / spread, other.mean(axis=0) / spread, atol=0.15)
