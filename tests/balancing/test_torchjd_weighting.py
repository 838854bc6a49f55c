"""Rules inside TorchJD: its aggregators, its backward functions and its engine."""

import io

import numpy as np
import pytest
import torch

from matrices import J3C, gram, random_rows
from mtbalance.balancing.rules.aligned_mtl import AlignedMTL
from mtbalance.balancing.rules.bandit import Bandit
from mtbalance.balancing.rules.graddrop import GradDrop
from mtbalance.balancing.rules.gradvac import GradVac
from mtbalance.balancing.rules.nash import Nash

aggregation = pytest.importorskip("torchjd.aggregation", reason="TorchJD is not installed")

from torchjd.autogram import Engine  # noqa: E402
from torchjd.autojac import jac_to_grad, mtl_backward  # noqa: E402

from mtbalance.balancing.torchjd_weighting import as_weighting  # noqa: E402


def test_an_aggregator_gives_the_joint_row():
    joint = aggregation.GramianWeightedAggregator(as_weighting(Nash(3)))(torch.tensor(J3C))
    np.testing.assert_allclose(joint, Nash(3).weights(gram(J3C), np.ones(3)) @ J3C)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_weights_have_the_type_of_the_gram_matrix_and_no_graph(dtype):
    weights = as_weighting(Nash(2))(torch.eye(2, dtype=dtype, requires_grad=True))
    assert weights.dtype == dtype and not weights.requires_grad


def a_model() -> tuple[torch.nn.Module, list[torch.nn.Module], torch.Tensor]:
    torch.manual_seed(0)
    return torch.nn.Linear(4, 3), [torch.nn.Linear(3, 1) for _ in range(2)], torch.randn(8, 4)


def test_torchjd_trains_with_a_rule_as_with_its_own_weighting():
    """``mtl_backward`` and ``jac_to_grad`` write the joint gradient; theirs is a mean, ours a sum."""
    gradients = []
    for weighting in (as_weighting(AlignedMTL(2)), aggregation.AlignedMTLWeighting()):
        shared, heads, inputs = a_model()
        features = shared(inputs)
        losses = [head(features).square().mean() for head in heads]
        mtl_backward(losses, features=features)
        jac_to_grad(shared.parameters(), aggregation.GramianWeightedAggregator(weighting))
        gradients.append(shared.weight.grad)
    torch.testing.assert_close(gradients[0], 2 * gradients[1], rtol=1e-4, atol=1e-6)


def test_the_engines_gram_matrix_is_weighed():
    shared, _, inputs = a_model()
    engine = Engine(shared, batch_dim=None)
    losses = shared(inputs).square().mean(dim=0)
    weights = as_weighting(Nash(3))(engine.compute_gramian(losses))
    rows = torch.autograd.functional.jacobian(
        lambda weight: (inputs @ weight.T + shared.bias).square().mean(dim=0), shared.weight
    ).flatten(1)
    biases = torch.autograd.functional.jacobian(
        lambda bias: (inputs @ shared.weight.T + bias).square().mean(dim=0), shared.bias
    )
    matrix = torch.cat([rows, biases], dim=1).detach().double().numpy()
    np.testing.assert_allclose(weights, Nash(3).weights(gram(matrix), np.ones(3)), rtol=1e-4)


def test_the_rules_memory_is_in_the_modules_state():
    first, second = as_weighting(GradVac(3)), as_weighting(GradVac(3))
    steps = [torch.tensor(gram(random_rows(3, seed) - 0.3)) for seed in range(10)]
    for step in steps[:5]:
        first(step)
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    second.load_state_dict(torch.load(file))
    for step in steps[5:]:
        assert torch.equal(first(step), second(step))


@pytest.mark.parametrize("rule", [Bandit, GradDrop])
def test_rules_that_need_more_than_a_gram_matrix_are_refused(rule):
    with pytest.raises(TypeError, match=f"{rule.__name__} needs something else than a Gram matrix"):
        as_weighting(rule(2))


def test_another_number_of_tasks_is_refused():
    with pytest.raises(ValueError, match="for a rule of 2 tasks"):
        as_weighting(Nash(2))(torch.eye(3))
