import numpy as np
import torch
from torch.nn import Parameter

from building import a_level, a_manipulation, an_optimizer
from mtbalance.balancing.rules.equal import Equal
from mtbalance.balancing.rules.nash import Nash

START, TARGETS = torch.tensor([1.0, -2, 3], dtype=torch.float64), torch.randn(2, 30, 3, dtype=torch.float64)


def losses(parameter, step, scales=(1.0, 1.0)):
    return [scale * ((parameter - target[step]) ** 2).sum() for scale, target in zip(scales, TARGETS, strict=True)]


def adatask(rule, scales=(1.0, 1.0)):
    parameter = Parameter(START.clone())
    optimizer = an_optimizer([parameter], lr=0.01)
    level = a_level("update", rule, [parameter], optimizer, manipulation="adatask")
    for step in range(30):
        level.step(losses(parameter, step, scales))
    return parameter.detach()


def test_with_equal_weights_it_is_the_sum_of_separate_adams():
    parameter = Parameter(START.clone())
    separate = [an_optimizer([parameter], lr=0.01) for _ in range(2)]
    for step in range(30):
        gradients = [torch.autograd.grad(loss, parameter)[0] for loss in losses(parameter, step)]
        updates = [own.propose(parameter, g.unsqueeze(0))[0] for own, g in zip(separate, gradients, strict=True)]
        for own, gradient in zip(separate, gradients, strict=True):
            own.commit(parameter, gradient)
        separate[0].apply(parameter, sum(updates))
    torch.testing.assert_close(adatask(Equal(2)), parameter.detach(), rtol=0, atol=1e-12)


def test_with_pub_scaling_a_loss_changes_no_update():
    torch.testing.assert_close(adatask(Nash(2), (1.0, 1e4)), adatask(Nash(2)), rtol=0, atol=1e-7)


def test_memory_is_taken_back():
    parameter = Parameter(START.clone())
    optimizer = an_optimizer([parameter], lr=0.01)
    first, second = (a_manipulation("adatask", optimizer) for _ in range(2))
    gradients = torch.randn(2, 3, dtype=torch.float64)
    first.propose(parameter, gradients)
    first.commit(parameter, gradients, np.ones(2))
    second.load_state_dict(first.state_dict())
    torch.testing.assert_close(second.propose(parameter, gradients), first.propose(parameter, gradients))
