"""What every ranking backbone must hold."""

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from entries import backbone_class
from mtbalance.balancing.balancer import assemble
from mtbalance.balancing.checking import balancer_options
from mtbalance.balancing.options import OptimizerOptions
from mtbalance.balancing.reach import find_reach
from mtbalance.models.ranking._options import RankingShape, RankingSizes
from problem_kinds import kinds

OPTIONS = {"mmoe": {"experts": 3}, "ple": {"shared_experts": 2, "task_experts": 3}}
SHARING = [kind for kind in kinds("ranking") if kind != "single_task"]
AT_FIELDS = [f"{kind} at fields" for kind in SHARING]
KINDS = ["single_task", *SHARING, *AT_FIELDS]
ROWS, CARDINALITIES, NUMBERS = 6, [3, 1, 5], 4


def build(name: str, tasks: int = 3, expert=(8, 6), numbers: int = NUMBERS, **model):
    torch.manual_seed(0)
    kind, _, place = name.partition(" at ")
    sizes = RankingSizes(embedding=4, expert=list(expert), tower=[5], **{"dropout": 0.0, "batch_norm": False, **model})
    options = OPTIONS.get(kind, {}) | ({"representation": place} if place else {})
    return backbone_class(kind)(RankingShape(CARDINALITIES, numbers, tasks), sizes, **options)


def rows(count: int = ROWS, numbers: int = NUMBERS):
    torch.manual_seed(1)
    ids = torch.stack([torch.randint(0, size, (count,)) for size in CARDINALITIES], dim=1)
    return ids, torch.rand(count, numbers)


def losses(model, inputs):
    targets = torch.arange(len(inputs[0])) % 2
    return [binary_cross_entropy_with_logits(logits, targets.float()) for logits in model(inputs)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tasks", [1, 2, 3])
@pytest.mark.parametrize("expert", [(8,), (8, 6), (8, 7, 6)], ids=len)
def test_every_task_has_a_logit_a_row_and_every_parameter_a_use(kind, tasks, expert):
    model = build(kind, tasks, expert)
    outputs = model(rows())
    assert [tuple(output.shape) for output in outputs] == [(ROWS,)] * tasks
    sum(losses(model, rows())).backward()
    unused = [name for name, parameter in model.named_parameters() if parameter.grad is None]
    assert not unused


@pytest.mark.parametrize("kind", SHARING)
@pytest.mark.parametrize("expert", [(8,), (8, 6), (8, 7, 6)], ids=len)
def test_what_lies_before_the_fork_is_what_is_shared(kind, expert):
    model = build(kind, expert=expert)
    parameters = list(model.parameters())
    shared = set(find_reach(losses(model, rows()), parameters).shared)
    representation = model.encode(rows())
    before = {
        parameter
        for parameter, gradient in zip(
            parameters,
            torch.autograd.grad(sum(tensor.sum() for tensor in representation), parameters, allow_unused=True),
            strict=True,
        )
        if gradient is not None
    }
    assert before == shared


@pytest.mark.parametrize("kind", SHARING)
def test_after_the_fork_no_parameter_serves_two_tasks(kind):
    model = build(kind)
    detached = tuple(tensor.detach() for tensor in model.encode(rows()))
    found = find_reach([model.decode(detached, task).sum() for task in range(3)], list(model.parameters()))
    assert not found.shared and all(found.own)


@pytest.mark.parametrize("kind", AT_FIELDS)
def test_after_the_fields_the_trunk_serves_all_tasks(kind):
    model = build(kind)
    (fields,) = model.encode(rows())
    found = find_reach([model.decode((fields.detach(),), task).sum() for task in range(3)], list(model.parameters()))
    assert set(found.shared) == set(find_reach(losses(model, rows()), list(model.parameters())).shared) - set(
        model.fields.parameters()
    )


@pytest.mark.parametrize("kind", SHARING)
def test_the_place_of_the_representation_changes_no_output_and_no_parameter(kind):
    fork, fields = build(kind), build(f"{kind} at fields")
    assert all(torch.equal(one, two) for one, two in zip(fork.parameters(), fields.parameters(), strict=True))
    for one, two in zip(fork(rows()), fields(rows()), strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize("kind", AT_FIELDS)
def test_the_trunk_is_computed_once_for_one_fork_and_for_each_of_separate_ones(kind):
    model, passes = build(kind), []
    trunk = model.trunk
    model.trunk = lambda fields: passes.append(1) or trunk(fields)
    representation = model.encode(rows())
    model.decode_all([representation] * 3)
    assert len(passes) == 1
    model.decode_all([(representation[0].detach(),) for _ in range(3)])
    assert len(passes) == 1 + 3


def stepped(kind: str, steps: int = 1, **block):
    """The model after steps in double precision, what the last gave its parameters as gradients, by name, and weights.

    Without batch norm: the gradients of biases before it are rounding, and Adam makes whole steps of that.
    """
    model = build(kind).double()
    optimizer = OptimizerOptions(lr=0.01)
    own = assemble(balancer_options(block), optimizer, model.parameters(), 3, seed=0)
    gradients = {}
    own.optimizer.register_step_pre_hook(
        lambda *_: gradients.update(
            {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
        )
    )
    for _ in range(steps):
        weights = own.step(scaled_losses(model, own.fork)).weights
    return model, gradients, weights


def scaled_losses(model, fork=lambda representation: [representation] * 3):
    """Losses of different sizes, in double precision."""
    inputs, targets = (rows()[0], rows()[1].double()), (torch.arange(ROWS) % 2).double()
    outputs = model.decode_all(fork(model.encode(inputs)))
    return [(task + 1) * binary_cross_entropy_with_logits(z, targets) for task, z in enumerate(outputs)]


@pytest.mark.parametrize("kind", [*SHARING, *AT_FIELDS])
@pytest.mark.parametrize("heads", ["own", "weighted"])
def test_equal_weights_at_the_representation_are_linear_scalarization(kind, heads):
    plain, *_ = stepped(kind.removesuffix(" at fields"), 3, level="loss", rule="equal")
    model, *_ = stepped(kind, 3, level="representation", rule="equal", heads=heads)
    for one, other in zip(model.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-9)


def gradients_of(kind: str, weights) -> dict[str, torch.Tensor]:
    """Gradients of the weighted loss in double precision, by the parameters' names."""
    model = build(kind).double()
    sum(float(weight) * loss for weight, loss in zip(weights, scaled_losses(model), strict=True)).backward()
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("kind", AT_FIELDS)
@pytest.mark.parametrize("heads", ["own", "weighted"])
def test_a_trunk_behind_the_fields_gets_the_sum_of_the_losses_gradients_weighted_if_heads_are(kind, heads):
    model, found, weights = stepped(kind, level="representation", rule="min_norm", heads=heads)
    plain, weighted = gradients_of(kind, [1, 1, 1]), gradients_of(kind, weights)
    shared = set(find_reach(losses(model.float(), rows()), list(model.parameters())).shared)
    trunk = [n for n, p in model.named_parameters() if p in shared and not n.startswith("fields.")]
    assert trunk and not torch.allclose(weighted["fields.table.weight"], plain["fields.table.weight"])
    torch.testing.assert_close(found["fields.table.weight"], weighted["fields.table.weight"], rtol=0, atol=1e-12)
    for name in trunk:
        assert not torch.allclose(weighted[name], plain[name])
        torch.testing.assert_close(found[name], (weighted if heads == "weighted" else plain)[name], rtol=0, atol=1e-12)


LAST = {
    "shared_bottom": ("bottom.0.weight", "bottom.2.weight", "bottom.4.weight"),
    "mmoe": ("experts.first.weight", "experts.deeper.0.weight", "experts.deeper.1.weight"),
    "ple": ("layers.0.shared.first.weight", "layers.1.shared.first.weight", "layers.2.shared.first.weight"),
}
"""The weight of the last shared layer, with one hidden layer of the experts, with two and with three."""
WITH_NORMS = {"shared_bottom": ("bottom.0.weight", "bottom.4.weight", "bottom.8.weight")}
"""The same, where norms and dropout stand between the layers and change their numbers."""


@pytest.mark.parametrize("kind", [kind for kind in (*SHARING, *AT_FIELDS) if kind.partition(" at ")[0] in LAST])
@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("between", [{}, {"dropout": 0.1, "batch_norm": True}], ids=["plain", "norms and dropout"])
def test_the_last_shared_layer_is_the_experts_last(kind, depth, between):
    """However many operations the way takes: gates, which read what the first layer does, are a short cut."""
    model = build(kind, expert=(8, 7, 6)[:depth], **between)
    found = find_reach(losses(model, rows()), list(model.parameters()))
    name = kind.partition(" at ")[0]
    expected = model.get_parameter((WITH_NORMS.get(name, LAST[name]) if between else LAST[name])[depth - 1])
    assert found.shared[found.last_layer] is expected


def test_single_task_learning_shares_nothing():
    model = build("single_task")
    found = find_reach(losses(model, rows()), list(model.parameters()))
    assert not found.shared
    assert sum(len(own) for own in found.own) == len(list(model.parameters()))


@pytest.mark.parametrize("kind", KINDS)
def test_rows_do_not_see_each_other_in_evaluation(kind):
    model = build(kind, dropout=0.5, batch_norm=True).eval()
    ids, numbers = rows()
    together, alone = model((ids, numbers)), model((ids[2:3], numbers[2:3]))
    for whole, part in zip(together, alone, strict=True):
        torch.testing.assert_close(whole[2:3], part)


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_without_numbers(kind):
    assert len(build(kind, tasks=2, expert=(6,), numbers=0)(rows(numbers=0))) == 2


def test_the_paper_size_of_mmoe():
    """8 experts of 512-256 on 17 fields of 128: the shared part of the reference code (protocol of the PUB paper)."""
    model = backbone_class("mmoe")(RankingShape([10] * 16, 63, 2), RankingSizes(), experts=8)
    weights = 8 * ((2176 * 512 + 512) + (512 * 256 + 256))
    norms = 2 * 8 * (512 + 256)
    assert sum(parameter.numel() for parameter in model.experts.parameters()) == weights + norms


def test_single_tasks_trained_together_are_trained_apart():
    """To the last bit, with Adam and the same rows."""

    def train(tasks: list[int]):
        model = build("single_task", tasks=2)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        for _ in range(5):
            optimizer.zero_grad()
            found = losses(model, rows())
            sum(found[task] for task in tasks).backward()
            optimizer.step()
        return model.models

    together = train([0, 1])
    for task in (0, 1):
        apart = train([task])[task]
        assert all(torch.equal(*pair) for pair in zip(together[task].parameters(), apart.parameters(), strict=True))
