"""Which parameters are shared is found at every step that takes K passes, whatever the user's model does."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from loops import Net, adamw, balanced, data, relative
from mtbalance import Balancer

K_PASSES = ("gradient", "update")


class Gated(Net):
    """Layers between trunk and heads that can be used, skipped or frozen: one for all tasks, and the first task's."""

    def __init__(self) -> None:
        super().__init__(2)
        self.late = nn.Linear(5, 5).double()
        self.uses = [True, True]

    def losses(self, balancer, rows=slice(None), share=1.0):
        inputs, targets = (part[rows] for part in data(2))
        hidden = self.trunk(inputs)
        outputs = [
            head(self.late(hidden) if uses else hidden) for head, uses in zip(self.heads, self.uses, strict=True)
        ]
        return [share * ((o[:, 0] - t) ** 2).mean() for o, t in zip(outputs, targets.T, strict=True)]


def expected(net: Gated, weights: np.ndarray) -> list[torch.Tensor]:
    """The weighted sum of the tasks' gradients of the layer ``late``."""
    found = [
        torch.autograd.grad(loss, list(net.late.parameters()), allow_unused=True, retain_graph=True)
        for loss in net.losses(None)
    ]
    return [
        sum(weight * part for weight, part in zip(weights, parts, strict=True) if part is not None)
        for parts in zip(*found, strict=True)
    ]


def gradient_of_late(net: Gated, balancer: Balancer) -> tuple[list[torch.Tensor], np.ndarray]:
    report = balancer.backward(net.losses(balancer))
    return [parameter.grad for parameter in net.late.parameters()], report.weights


def test_a_parameter_first_used_at_step_two_trains():
    for level in K_PASSES:
        net = Gated()
        net.uses = [False, False]
        balancer = balanced(net, level, "nash")
        balancer.step(net.losses(balancer))
        net.uses, before = [True, True], net.late.weight.detach().clone()
        balancer.step(net.losses(balancer))
        assert not torch.equal(net.late.weight, before)


def test_a_parameter_that_is_own_first_and_shared_later_gets_the_joint_gradient():
    net = Gated()
    net.uses = [True, False]
    balancer = balanced(net, "gradient", "nash", heads="own")
    balancer.step(net.losses(balancer))
    net.uses = [True, True]
    found, weights = gradient_of_late(net, balancer)
    for one, other in zip(found, expected(net, weights), strict=True):
        assert relative(one, other) < 1e-12
    assert np.ptp(weights) > 0.01


@pytest.mark.parametrize("level", K_PASSES)
def test_a_layer_can_be_unfrozen_and_frozen(level):
    net = Gated()
    balancer = balanced(net, level, "nash")
    for frozen in (True, False, True):
        net.late.requires_grad_(not frozen)
        before = net.late.weight.detach().clone()
        balancer.step(net.losses(balancer))
        assert torch.equal(net.late.weight, before) == frozen


@pytest.mark.parametrize("level", K_PASSES)
@pytest.mark.parametrize("every", [1, 2])
def test_a_block_can_be_skipped_at_a_step(level, every):
    net = Gated()
    balancer = balanced(net, level, "nash", every=every)
    for used in (True, False, True, False, False, True):
        net.uses = [used, used]
        before = net.late.weight.detach().clone()
        balancer.step(net.losses(balancer))
        assert torch.equal(net.late.weight, before) != used


class Stacked(nn.Module):
    """Losses that meet before the end, as one tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.net = Net(3)
        self.heads = self.net.heads

    def losses(self, how: str):
        inputs, targets = data(3)
        hidden = self.net.trunk(inputs)
        outputs = torch.cat([head(hidden) for head in self.heads], dim=1)
        errors = ((outputs - targets) ** 2).mean(0)
        return {"tensor": errors, "unbound": list(errors.unbind())}[how]


@pytest.mark.parametrize("how", ["tensor", "unbound"])
@pytest.mark.parametrize("level", K_PASSES)
def test_losses_that_meet_before_the_end_leave_heads_their_own(how, level):
    apart, stacked = Net(3), Stacked()
    one, other = balanced(apart, level, "nash"), balanced(stacked, level, "nash")
    for _ in range(3):
        told, report = one.step(apart.losses(one)), other.step(stacked.losses(how))
        np.testing.assert_allclose(report.weights, told.weights, rtol=1e-9)
    assert relative(stacked.net.vector(), apart.vector()) < 1e-9


@pytest.mark.parametrize("level", K_PASSES)
def test_a_compiled_model_has_the_weights_of_the_eager_one(level):
    eager, compiled = Net(3), Net(3)
    one, other = balanced(eager, level, "nash"), balanced(compiled, level, "nash")
    inputs, targets = data(3)

    def outputs(net):
        return torch.compile(lambda x: [head(net.trunk(x)) for head in net.heads], backend="aot_eager")

    whole = outputs(compiled)
    for _ in range(3):
        told = one.step(eager.losses(one))
        losses = [((o[:, 0] - t) ** 2).mean() for o, t in zip(whole(inputs), targets.T, strict=True)]
        np.testing.assert_allclose(other.step(losses).weights, told.weights, rtol=1e-9)
    assert relative(compiled.vector(), eager.vector()) < 1e-9


@pytest.mark.parametrize("level", ["representation", *K_PASSES])
@pytest.mark.parametrize("rule", ["nash", "min_norm", "equal", "graddrop"])
def test_a_task_without_a_labeled_row_is_a_zero_row(level, rule):
    """It is the same as a loss that is zero times something; also in the very first batch, for shared parameters."""
    constant, zero = Net(), Net()
    one, other = (balanced(net, level, rule, torch.optim.SGD(net.parameters(), lr=0.1)) for net in (constant, zero))
    for missing in (False, True, False, True):
        reports = []
        for net, balancer in ((constant, one), (zero, other)):
            losses = net.losses(balancer)
            if missing:
                losses[1] = torch.zeros((), dtype=torch.float64) if net is constant else 0 * losses[1]
            reports.append(balancer.step(losses))
        np.testing.assert_allclose(reports[0].weights, reports[1].weights, rtol=1e-12)
    assert relative(constant.vector(), zero.vector()) < 1e-9


def test_the_first_batch_may_lack_a_task():
    for level in K_PASSES:
        net = Net()
        balancer = balanced(net, level, "nash")
        balancer.step([net.losses(balancer)[0], torch.tensor(0.0)])
        before = net.trunk[0].weight.detach().clone()
        balancer.step(net.losses(balancer))
        assert not torch.equal(net.trunk[0].weight, before) and torch.isfinite(net.vector()).all()


@pytest.mark.parametrize("level", K_PASSES)
def test_a_head_that_starts_at_zero_does_not_hide_that_the_trunk_is_shared(level):
    net = Net()
    nn.init.zeros_(net.heads[1].weight)
    balancer = balanced(net, level, "equal")
    balancer.backward(net.losses(balancer))
    assert set(balancer.level.shared) == set(net.trunk.parameters())


@pytest.mark.parametrize("level", K_PASSES)
def test_the_user_can_list_the_shared_parameters(level):
    last = lambda net: list(net.trunk[2].parameters())  # noqa: E731
    net = Net()
    balancer = balanced(net, level, "nash", shared=last(net))
    reference = Net()
    found = [
        torch.autograd.grad(loss, last(reference), retain_graph=True)
        for loss in reference.losses(balanced(reference, level, "equal"))
    ]
    report = balancer.step(net.losses(balancer))
    assert set(balancer.level.shared) == set(last(net))
    rows = np.stack([np.concatenate([part.numpy().ravel() for part in row]) for row in found])
    if level == "gradient":
        cosine = rows[0] @ rows[1] / np.prod(np.linalg.norm(rows, axis=1))
        np.testing.assert_allclose(report.diagnostics["cosine"], cosine)


@pytest.mark.parametrize("level", K_PASSES)
def test_what_was_learned_about_sharing_is_saved(level):
    net = Net()
    balancer = balanced(net, level, "nash")
    balancer.step(net.losses(balancer))
    other = copy.deepcopy(net)
    resumed = balanced(other, level, "nash")
    resumed.load_state_dict(copy.deepcopy(balancer.state_dict()))
    for one, taken in ((net, balancer), (other, resumed)):
        taken.step([one.losses(taken)[0], torch.tensor(0.0)])
    torch.testing.assert_close(other.vector(), net.vector(), rtol=0, atol=0)


@pytest.mark.parametrize("level", ["loss", "representation", *K_PASSES])
def test_tied_weights_count_once(level):
    net = Net()
    net.tied = net.trunk  # the same parameters under a second name
    parameters = [parameter for module in (net.trunk, net.tied, net.heads) for parameter in module.parameters()]
    plain = Net()
    one = Balancer(torch.optim.AdamW(dict.fromkeys(parameters), lr=1e-2), 2, level=level, rule="equal")
    other = balanced(plain, level, "equal", adamw(plain))
    for _ in range(2):
        one.step(net.losses(one))
        other.step(plain.losses(other))
    torch.testing.assert_close(net.vector(), plain.vector(), rtol=0, atol=0)


class Sparse(nn.Module):
    def __init__(self, sparse: bool = True) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Embedding(10, 4, sparse=sparse)
        self.heads = nn.ModuleList(nn.Linear(4, 1) for _ in range(2))

    def losses(self, balancer):
        forks = balancer.fork(self.table(torch.tensor([1, 2, 2, 5])).tanh())
        return [(head(fork) - 1).square().mean() for head, fork in zip(self.heads, forks, strict=True)]


@pytest.mark.parametrize("level", ["loss", "representation"])
def test_sparse_gradients_train_where_rows_are_not_of_parameters(level):
    sparse, dense = Sparse(), Sparse(sparse=False)
    for net in (sparse, dense):
        balancer = Balancer(torch.optim.SGD(net.parameters(), lr=0.1), 2, level=level, rule="equal")
        for _ in range(2):
            balancer.step(net.losses(balancer))
    torch.testing.assert_close(sparse.table.weight, dense.table.weight)


@pytest.mark.parametrize("level", K_PASSES)
def test_sparse_gradients_are_refused_elsewhere_with_the_reason(level):
    net = Sparse()
    balancer = Balancer(torch.optim.SGD(net.parameters(), lr=0.1), 2, level=level, rule="equal")
    with pytest.raises(ValueError, match=f"shared parameter has sparse gradients, and level {level} needs dense rows"):
        balancer.step(net.losses(balancer))
