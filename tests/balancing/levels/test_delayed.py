"""With a delayed preconditioner one pass of the weighted loss gives the step that K passes give, exactly."""

import numpy as np
import pytest
import torch

from loops import Net, balanced, relative
from mtbalance.balancing.levels.update import SEEN
from mtbalance.balancing.proposals import build_proposer

OPTIMIZERS = {
    "adam": lambda p, decay: torch.optim.Adam(p, lr=0.01, weight_decay=decay),
    "adamw": lambda p, decay: torch.optim.AdamW(p, lr=0.01, weight_decay=decay),
    "rmsprop": lambda p, decay: torch.optim.RMSprop(p, lr=0.01, weight_decay=decay),
    "adagrad": lambda p, decay: torch.optim.Adagrad(p, lr=0.01, weight_decay=decay),
}
PRECISION = {torch.float32: 1e-6, torch.float64: 1e-12}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("dtype", PRECISION)
@pytest.mark.parametrize("heads", ["own", "weighted"])
def test_one_pass_is_k_passes(name, decay, dtype, heads):
    """The updates that the optimizer proposes for each task, added up by hand, against a step between two searches."""
    net = Net(3, dtype)
    optimizer = OPTIMIZERS[name](net.parameters(), decay)
    options = {"every": 10, "preconditioner": "delayed", "between": "weighted_loss", "heads": heads}
    balancer = balanced(net, "update", "nash", optimizer, rescale="sum_to_K", **options)
    for _ in range(SEEN + 2):
        weights = balancer.step(net.losses(balancer)).weights
    shared = list(net.trunk.parameters())
    found = [torch.autograd.grad(loss, shared, retain_graph=True) for loss in net.losses(balancer)]
    gradients = [torch.stack(parts) for parts in zip(*found, strict=True)]
    proposed = build_proposer(optimizer).propose(shared, gradients, delayed=True)
    decoupled = decay if name == "adamw" else 0.0
    expected = [
        parameter.detach() * (1 - 0.01 * decoupled) - 0.01 * sum(w * d for w, d in zip(weights, updates, strict=True))
        for parameter, updates in zip(shared, proposed, strict=True)
    ]
    report = balancer.step(net.losses(balancer))
    assert not report.diagnostics and np.ptp(weights) > 0.01
    for parameter, value in zip(shared, expected, strict=True):
        assert relative(parameter.detach(), value) < PRECISION[dtype]


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("dtype", PRECISION)
def test_both_ways_go_the_same_way(name, dtype):
    one, many = Net(3, dtype), Net(3, dtype)
    options = {"every": 5, "preconditioner": "delayed", "heads": "own"}
    fast, slow = (
        balanced(net, "update", "nash", OPTIMIZERS[name](net.parameters(), 0.0), between=between, **options)
        for net, between in ((one, "weighted_loss"), (many, "task_updates"))
    )
    for _ in range(SEEN + 6):
        fast.step(one.losses(fast))
        slow.step(many.losses(slow))
    assert relative(one.vector(), many.vector()) < 10 * PRECISION[dtype]


def test_with_the_present_preconditioner_the_two_ways_differ():
    """So the identity above is a property of the delayed one."""
    one, many = Net(3), Net(3)
    fast, slow = (
        balanced(net, "update", "nash", every=5, between=between)
        for net, between in ((one, "weighted_loss"), (many, "task_updates"))
    )
    for _ in range(4):
        fast.step(one.losses(fast))
        slow.step(many.losses(slow))
    assert relative(one.vector(), many.vector()) > 1e-4


def test_elements_that_see_their_first_gradient_between_two_searches():
    """Rows of an embedding: they have no divisor yet, and get that of the joint gradient either way."""
    vectors = []
    for between in ("weighted_loss", "task_updates"):
        torch.manual_seed(0)
        net = Net()
        net.table = torch.nn.Embedding(4, 6, dtype=torch.float64)
        options = {"every": 10, "preconditioner": "delayed", "between": between}
        balancer = balanced(net, "update", "nash", **options)
        for step in range(SEEN + 4):
            z = net.trunk(net.table(torch.tensor([max(step - SEEN, 0), 0])))
            balancer.step([(head(z) - 1).square().mean() * (1 + k) for k, head in enumerate(net.heads)])
        vectors.append(net.vector())
    assert relative(*vectors) < 1e-12


def test_the_first_steps_have_the_present_divisor():
    """While the second moment has averaged few gradients, its root is no measure of the next one."""
    vectors = {}
    for preconditioner in ("present", "delayed"):
        net = Net(3)
        balancer = balanced(net, "update", "nash", every=3, preconditioner=preconditioner)
        vectors[preconditioner] = []
        for _ in range(SEEN + 1):
            balancer.step(net.losses(balancer))
            vectors[preconditioner].append(net.vector())
    same = [torch.equal(*pair) for pair in zip(*vectors.values(), strict=True)]
    assert same == [True] * SEEN + [False]


def test_no_element_moves_thousands_of_times_as_far_as_the_others():
    """What divisors of a single gradient would do: of 20,000 random gradients, some are close to zero."""
    generator = torch.Generator().manual_seed(0)
    net = Net()
    net.wide = torch.nn.Parameter(torch.zeros(20000, dtype=torch.float64))
    balancer = balanced(net, "update", "equal", preconditioner="delayed")
    for _ in range(SEEN + 5):
        before = net.wide.detach().clone()
        slopes = torch.randn(2, 20000, generator=generator, dtype=torch.float64)
        balancer.step([loss + slope @ net.wide for loss, slope in zip(net.losses(balancer), slopes, strict=True)])
        moved = (net.wide.detach() - before).abs()
        assert moved.max() < 20 * moved.mean()
