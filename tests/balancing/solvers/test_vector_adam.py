import numpy as np
import pytest
import torch

from mtbalance.balancing.solvers.vector_adam import VectorAdam


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_its_steps_are_torchs(weight_decay):
    own, point = VectorAdam(3, 0.025, weight_decay), np.ones(3)
    parameter = torch.ones(3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([parameter], lr=0.025, weight_decay=weight_decay)
    for gradient in np.random.default_rng(0).normal(size=(50, 3)) * [1e-9, 1, 1e9]:
        point = own.step(point, gradient)
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
        np.testing.assert_allclose(point, parameter.detach().numpy(), rtol=1e-12)


def test_no_learning_rate_is_refused():
    with pytest.raises(ValueError, match="lr"):
        VectorAdam(2, 0.0)
