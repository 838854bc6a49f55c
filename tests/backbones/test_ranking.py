"""What every ranking backbone must hold."""

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from mtbalance.backbones import build_backbone
from mtbalance.config import ModelConfig
from mtbalance.sharing import sharing
from problem_kinds import kinds

OPTIONS = {"mmoe": {"experts": 3}, "ple": {"shared_experts": 2, "task_experts": 3}}
KINDS = kinds("ranking")
SHARING = [kind for kind in KINDS if kind != "single_task"]
ROWS, CARDINALITIES, NUMBERS = 6, [3, 1, 5], 4


def build(kind: str, tasks: int = 3, expert=(8, 6), **model):
    torch.manual_seed(0)
    sizes = ModelConfig(embedding=4, expert=list(expert), tower=[5], **{"dropout": 0.0, "batch_norm": False, **model})
    return build_backbone(kind, CARDINALITIES, NUMBERS, tasks, sizes, **OPTIONS.get(kind, {}))


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
def test_what_lies_before_the_representation_is_what_is_shared(kind, expert):
    model = build(kind, expert=expert)
    parameters = list(model.parameters())
    shared = set(sharing(losses(model, rows()), parameters).shared)
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
def test_after_the_representation_no_parameter_serves_two_tasks(kind):
    model = build(kind)
    detached = tuple(tensor.detach() for tensor in model.encode(rows()))
    found = sharing([model.decode(detached, task).sum() for task in range(3)], list(model.parameters()))
    assert not found.shared and all(found.own)


def test_single_task_learning_shares_nothing():
    model = build("single_task")
    found = sharing(losses(model, rows()), list(model.parameters()))
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
    torch.manual_seed(0)
    sizes = ModelConfig(embedding=4, expert=[6], tower=[5], dropout=0.0)
    model = build_backbone(kind, CARDINALITIES, 0, 2, sizes, **OPTIONS.get(kind, {}))
    assert len(model(rows(numbers=0))) == 2


def test_the_paper_size_of_mmoe():
    """8 experts of 512-256 on 17 fields of 128: the shared part of the reference code (protocol of the PUB paper)."""
    model = build_backbone("mmoe", [10] * 16, 63, 2, ModelConfig(), experts=8)
    weights = 8 * ((2176 * 512 + 512) + (512 * 256 + 256))
    norms = 2 * 8 * (512 + 256)
    assert sum(parameter.numel() for parameter in model.experts.parameters()) == weights + norms
