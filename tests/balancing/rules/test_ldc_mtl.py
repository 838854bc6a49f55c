import numpy as np
import pytest
import torch

from mtbalance.balancing.rules.ldc_mtl import LDCMTL


@pytest.mark.parametrize("normalize", ["none", "first"])
def test_weights_and_steps_are_those_of_one_loss_under_autograd(normalize):
    """The reference: torch's Adam on v, and the gradient of f along the losses."""
    generator = np.random.default_rng(0)
    rule = LDCMTL(4, penalty=0.1, lr=0.1, normalize=normalize)
    v = torch.ones(4, dtype=torch.float64, requires_grad=True)
    adam = torch.optim.Adam([v], lr=0.1)
    first = np.array([1.0, 2, 5, 3])
    rule.divisors = first if normalize == "first" else np.ones(4)
    for _ in range(30):
        losses = torch.tensor(generator.uniform(0.5, 5, 4), requires_grad=True)
        shares = torch.sigmoid(v)
        weighted = shares * losses / torch.tensor(rule.divisors)
        f = weighted.sum() / shares.sum().detach() + 0.1 * weighted.diff().abs().sum()
        adam.zero_grad()
        f.backward()
        adam.step()
        np.testing.assert_allclose(rule.weights(losses.detach().numpy()), 4 * losses.grad.numpy(), rtol=1e-10)
        np.testing.assert_allclose(rule.logits, v.detach().numpy(), rtol=1e-9)


def test_the_largest_of_two_losses_gains_by_the_penalty_and_the_smaller_loses():
    share = 1 / (1 + np.exp(-1.0))
    weights = LDCMTL(2, penalty=0.1, normalize="none").weights(np.array([2.0, 1.0]))
    np.testing.assert_allclose(weights, [1 + 0.2 * share, 1 - 0.2 * share])


def test_first_losses_are_normalized_to_the_smallest_and_weigh_alike():
    rule = LDCMTL(3)
    np.testing.assert_allclose(rule.weights(np.array([0.1, 0.3, 0.7])), [1, 1 / 3, 1 / 7])


def test_the_difference_of_weighted_losses_becomes_smaller():
    rule = LDCMTL(2, lr=0.05, penalty=0.5, normalize="none")
    shares = []
    for _ in range(100):
        rule.weights(np.array([2.0, 1.0]))
        shares.append(1 / (1 + np.exp(-rule.logits)))
    assert abs(shares[-1] @ [2, -1]) < 0.1 * abs(shares[0] @ [2, -1])


@pytest.mark.parametrize("first", [[0.0, 3.0], [-1.0, -2.0]])
def test_first_losses_that_are_not_positive_are_no_divisors(first):
    weights = LDCMTL(2).weights(np.array(first))
    np.testing.assert_allclose(weights, LDCMTL(2, normalize="none").weights(np.array(first)))
    assert weights.min() > 0
