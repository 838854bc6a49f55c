import numpy as np
import torch
from torch.nn import Parameter

from building import a_level, a_manipulation, a_proposer, an_optimizer
from mtbalance.balancing.rules.equal import Equal
from mtbalance.balancing.rules.nash import Nash

START, TARGETS = torch.tensor([1.0, -2, 3], dtype=torch.float64), torch.randn(2, 30, 3, dtype=torch.float64)


def losses(parameter, step, scales=(1.0, 1.0)):
    return [scale * ((parameter - target[step]) ** 2).sum() for scale, target in zip(scales, TARGETS, strict=True)]


def adatask(rule, scales=(1.0, 1.0)):
    parameter = Parameter(START.clone())
    optimizer = an_optimizer([parameter], lr=0.01)
    level = a_level("update", rule, optimizer, manipulation="adatask")
    for step in range(30):
        level.step(losses(parameter, step, scales))
    return parameter.detach()


def test_with_equal_weights_it_is_the_sum_of_separate_adams():
    parameter = Parameter(START.clone())
    separate = [a_proposer([parameter], lr=0.01) for _ in range(2)]
    for step in range(30):
        gradients = [torch.autograd.grad(loss, parameter)[0] for loss in losses(parameter, step)]
        pairs = list(zip(separate, gradients, strict=True))
        updates = [own.propose([parameter], [gradient.unsqueeze(0)])[0][0] for own, gradient in pairs]
        for own, gradient in pairs:
            own.commit(own.moments(parameter), parameter, gradient)
        separate[0].take([parameter], [sum(updates)], lambda _: None)
    torch.testing.assert_close(adatask(Equal(2)), parameter.detach(), rtol=0, atol=1e-12)


def test_with_pub_scaling_a_loss_changes_no_update():
    torch.testing.assert_close(adatask(Nash(2), (1.0, 1e4)), adatask(Nash(2)), rtol=0, atol=1e-7)


def test_memory_is_taken_back():
    parameter = Parameter(START.clone())
    proposer = a_proposer([parameter], lr=0.01)
    first, second = (a_manipulation("adatask", proposer) for _ in range(2))
    gradients = torch.randn(2, 3, dtype=torch.float64)
    first.propose([parameter], [gradients])
    assert first.commit(parameter, gradients, np.ones(2)) is None and not proposer.optimizer.state
    second.load_state_dict(first.state_dict())
    torch.testing.assert_close(second.propose([parameter], [gradients]), first.propose([parameter], [gradients]))
