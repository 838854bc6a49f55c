import numpy as np
import pytest
import torch

from mtbalance.balancing.rules.famo import FAMO


def test_the_first_step_by_hand():
    rule = FAMO(2, gamma=0)
    np.testing.assert_allclose(rule.weights(np.array([1.0, 2.0])), [4 / 3, 2 / 3], rtol=1e-7)
    rule.observe(np.array([0.9, 1.9]))
    # delta = (0.10536052, 0.05129329), gradient (0.01351681, -0.01351681)
    np.testing.assert_allclose(rule.adam.first, [0.001351681, -0.001351681], atol=1e-9)
    np.testing.assert_allclose(rule.logits, [-0.025, 0.025], rtol=1e-5)
    np.testing.assert_allclose(rule.weights(np.ones(2)) / 2, [0.4875026, 0.5124974], atol=5e-8)


def test_it_follows_torch_through_the_softmax():
    rule, generator = FAMO(3), np.random.default_rng(0)
    xi = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([xi], lr=0.025, weight_decay=1e-3)
    for _ in range(20):
        before, after = generator.uniform(0.5, 2, (2, 3))
        z = torch.softmax(xi, 0)
        parts = z.detach().numpy() / before
        np.testing.assert_allclose(rule.weights(before), 3 * parts / parts.sum(), rtol=1e-6)
        rule.observe(after)
        optimizer.zero_grad()
        z.backward(torch.tensor(np.log(before + 1e-8) - np.log(after + 1e-8)))
        optimizer.step()
        np.testing.assert_allclose(rule.logits, xi.detach().numpy(), atol=1e-12)


def test_equal_progress_leaves_the_weights():
    rule = FAMO(2, gamma=0)
    losses = np.array([1e6, 2e6])  # beside which the epsilon of the margins is nothing
    before = rule.weights(losses)
    rule.observe(0.5 * losses)
    np.testing.assert_allclose(rule.weights(losses), before, rtol=1e-6)


def test_scales_do_not_move_the_mixture_and_a_common_scale_moves_no_weight():
    plain, common, own = FAMO(2), FAMO(2), FAMO(2)
    scales = np.array([1e3, 1.0])
    for step in range(10):
        losses = np.array([1.0, 2.0]) * (0.9, 0.99) ** np.array(step)
        weights = plain.weights(losses)
        np.testing.assert_allclose(common.weights(1e3 * losses), weights, rtol=1e-6)
        own.weights(scales * losses)
        plain.observe(losses * [0.9, 0.99])
        common.observe(1e3 * losses * [0.9, 0.99])
        own.observe(scales * losses * [0.9, 0.99])
    np.testing.assert_allclose(common.logits, plain.logits, rtol=1e-6)
    np.testing.assert_allclose(own.logits, plain.logits, rtol=1e-6)


def test_smallest_losses_are_taken_off():
    rule = FAMO(2, min_losses=[-21.0, 0.0])
    np.testing.assert_allclose(rule.weights(np.array([-20.0, 2.0])), [4 / 3, 2 / 3], rtol=1e-7)
    with pytest.raises(FloatingPointError, match="min_losses"):
        rule.weights(np.array([-22.0, 2.0]))
