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
from mtbalance.balancing.rules.conflict_free import ConFIG
from mtbalance.balancing.rules.cosmos import COSMOS
from mtbalance.balancing.rules.dualproj import DualProj
from mtbalance.balancing.rules.excess_mtl import ExcessMTL
from mtbalance.balancing.rules.fairgrad import FairGrad
from mtbalance.balancing.rules.gls import GLS
from mtbalance.balancing.rules.graddrop import GradDrop
from mtbalance.balancing.rules.gradvac import GradVac
from mtbalance.balancing.rules.imtl_g import IMTLG
from mtbalance.balancing.rules.krum import Krum
from mtbalance.balancing.rules.min_norm import MinNorm
from mtbalance.balancing.rules.pbi import PBI
from mtbalance.balancing.rules.pcd import PCD
from mtbalance.balancing.rules.pcgrad import PCGrad
from mtbalance.balancing.rules.sdmgrad import SDMGrad
from mtbalance.balancing.rules.stch import STCH
from mtbalance.balancing.rules.trimmed_mean import TrimmedMean
from mtbalance.balancing.rules.upgrad import UPGrad

torchjd = pytest.importorskip("torchjd.aggregation", reason="TorchJD, the independent oracle, is not installed")
scalarization = pytest.importorskip("torchjd.scalarization", reason="TorchJD is older than its scalarizers")

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


@sampled
@given(jacobians())
def test_config(rows):
    joint, other = ours(ConFIG(len(rows)), rows), theirs(torchjd.ConFIG(), rows)
    np.testing.assert_allclose(joint, other, rtol=1e-6, atol=1e-8 * np.linalg.norm(other))


def test_config_of_dependent_rows():
    """Rows of rank 2 in three dimensions, and a zero row: the cosines are equal in the sense of least squares."""
    for seed in range(20):
        generator = np.random.default_rng(seed)
        rows = generator.normal(size=(4, 2)) @ generator.normal(size=(2, 3)) * [[1], [2], [1], [0]]
        other = theirs(torchjd.ConFIG(), rows)
        np.testing.assert_allclose(ours(ConFIG(4), rows), other, atol=1e-8 * np.linalg.norm(other))


def steps_of(rows: np.ndarray) -> list[np.ndarray]:
    """Ten Jacobians that are drawn around ``rows``."""
    generator = np.random.default_rng(0)
    return [rows * generator.uniform(0.5, 2, (len(rows), 1)) + generator.normal(size=rows.shape) for _ in range(10)]


@sampled
@given(jacobians(least=2, most=2), st.sampled_from([0.01, 0.5]))
def test_gradvac_of_two_tasks(rows, beta):
    rule, aggregator = GradVac(2, beta=beta), torchjd.GradVac(beta=beta, eps=0.0)
    for step in steps_of(rows):
        np.testing.assert_allclose(ours(rule, step), theirs(aggregator, step), rtol=1e-7, atol=1e-9)


@sampled
@given(jacobians(), st.sampled_from([0.01, 1.0]), st.sampled_from([1, 3]))
def test_excess_mtl(rows, step_size, warmup):
    """Theirs without a warmup takes a first step on the excess risks as they are; ours always divides them."""
    rule = ExcessMTL(len(rows), step_size=step_size, warmup=warmup)
    weighting = torchjd.ExcessMTLWeighting(robust_step_size=step_size, n_warmup_steps=warmup)
    for step in 1000 * np.array(steps_of(rows)):  # so large that the 1e-7 they add to the squares is nothing
        weights = rule.combine([torch.tensor(step)], np.ones(len(rows)))[1] / len(rows)
        np.testing.assert_allclose(weights, weighting(torch.tensor(step)).numpy(), rtol=1e-5, atol=1e-9)


@sampled
@given(jacobians(least=2), st.sampled_from([0.0, 0.02, 0.5]), st.sampled_from([0.0, 0.9]))
def test_pcd(rows, tau, beta):
    rule, aggregator = PCD(len(rows), tau=tau, beta=beta), torchjd.PCD(tau=tau, beta=beta, eps=0.0)
    for step in steps_of(rows):
        other = theirs(aggregator, step)
        np.testing.assert_allclose(ours(rule, step), other, rtol=1e-6, atol=1e-7 * np.linalg.norm(other))


@pytest.mark.parametrize(("rule", "name"), [(UPGrad, "UPGrad"), (DualProj, "DualProj")])
@sampled
@given(rows=jacobians(scale=0.5))
def test_dual_cone(rule, name, rows):
    """Theirs adds ``reg_eps`` to the diagonal of the scaled Gram matrix."""
    pytest.importorskip("quadprog", reason="a package that TorchJD needs for these two")
    from torchjd.linalg import QuadprogProjector

    other = theirs(getattr(torchjd, name)(projector=QuadprogProjector(norm_eps=0, reg_eps=1e-9)), rows)
    mean = ours(rule(len(rows)), rows) / len(rows)
    np.testing.assert_allclose(mean, other, atol=1e-5 * np.linalg.norm(other))


positive_losses = st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=6).map(np.array)


def slopes(scalarizer, losses: np.ndarray) -> np.ndarray:
    """The gradient of TorchJD's scalarizer along the losses."""
    values = torch.tensor(losses, requires_grad=True)
    scalarizer(values).backward()
    return values.grad.numpy()


@sampled
@given(positive_losses)
def test_gls(losses):
    tasks = len(losses)
    np.testing.assert_allclose(GLS(tasks).weights(losses), tasks * slopes(scalarization.GeometricMean(), losses))


@sampled
@given(positive_losses, st.sampled_from([0.1, 1.0, 5.0]), st.booleans())
def test_stch(losses, mu, preferring):
    """Theirs gets the logarithms, and has no warm-up: those of the nadir are its ideal point."""
    tasks = len(losses)
    nadir = np.linspace(0.5, 2, tasks)
    given = 1.0 + np.arange(tasks) if preferring else np.ones(tasks)
    rule = STCH(tasks, mu=mu, preference=given.tolist(), warmup=2)
    for factor in (0.5, 1.5):
        rule.weights(factor * nadir)
    other = scalarization.STCH(mu, torch.tensor(given / given.mean()), torch.tensor(nadir).log())
    found = slopes(lambda values: other(values.log()), losses)
    np.testing.assert_allclose(rule.weights(losses), tasks * found, rtol=1e-9, atol=1e-300)


@settings(sampled, max_examples=20)
@given(jacobians(scale=0.5), st.sampled_from([0.0, 0.3, 2.0]))
def test_sdmgrad(rows, pull):
    """Theirs takes projected steps: short ones settle at the exact minimizer, unlike those of its default."""
    weighting = torchjd.SDMGradWeighting(lr=0.1, n_iter=2000, lambda_=pull)
    mean = ours(SDMGrad(len(rows), pull=pull), rows) / len(rows)
    other = weighting(torch.tensor(gram(rows))).numpy() @ rows
    np.testing.assert_allclose(mean, other, atol=1e-4 * np.linalg.norm(rows, axis=1).mean())


@sampled
@given(jacobians(least=5), st.integers(1, 4))
def test_krum(rows, selected):
    """With one neighbor: theirs sums distances and ours their squares, which have the same order then.

    The two rows that are nearest to each other have the same score: ours share a place where theirs picks one.
    """
    tasks = len(rows)
    shares = Krum(tasks, apart=tasks - 3, selected=selected).weights(gram(rows), np.ones(tasks)) * selected / tasks
    picked = torchjd.KrumWeighting(tasks - 3, selected)(torch.tensor(gram(rows))).numpy() > 0
    assert (shares[picked] > 0).all() and picked[shares > 1 - 1e-9].all()


@sampled
@given(jacobians(least=3))
def test_trimmed_mean(rows):
    trim = (len(rows) - 1) // 2
    (joint,), _ = TrimmedMean(len(rows), trim=trim).combine([torch.tensor(rows)], np.ones(len(rows)))
    np.testing.assert_allclose(joint.numpy() / len(rows), theirs(torchjd.TrimmedMean(trim), rows))


@settings(sampled, max_examples=30)
@given(jacobians(most=4, scale=0.3), st.sampled_from([0.5, 1.0, 2.0]))
def test_fairgrad(rows, alpha):
    """Theirs minimizes the squared residual to a tolerance of 1e-8, and often stops early: ours has the smaller one."""
    rows = rows / np.linalg.norm(rows, axis=1).mean()
    weights = FairGrad(len(rows), alpha=alpha).weights(gram(rows), np.ones(len(rows)))
    other = torchjd.FairGradWeighting(alpha=alpha)(torch.tensor(gram(rows))).numpy()

    def residual(found: np.ndarray) -> float:
        return np.abs(gram(rows) @ found - found ** (-1 / alpha)).max()

    assert residual(weights) <= max(residual(other), 1e-9)
    if residual(other) < 1e-6:
        np.testing.assert_allclose(weights, other, rtol=1e-3)


@sampled
@given(positive_losses, st.sampled_from([0.3, 1.0, 5.0]))
def test_cosmos_and_pbi(losses, strength):
    tasks = len(losses)
    preference, reference = np.arange(1.0, tasks + 1), np.linspace(-0.5, 0.5, tasks)
    other = scalarization.COSMOS(tasks * strength, weights=torch.tensor(tasks * preference / preference.sum()))
    rule = COSMOS(tasks, penalty=strength, preference=preference.tolist())
    np.testing.assert_allclose(rule.weights(losses), slopes(other, losses), rtol=1e-6, atol=1e-6)
    other = scalarization.PBI(strength, weights=torch.tensor(preference), reference=torch.tensor(reference))
    rule = PBI(tasks, theta=strength, preference=preference.tolist(), reference=reference.tolist())
    np.testing.assert_allclose(rule.weights(losses) / tasks**0.5, slopes(other, losses), atol=1e-5)
