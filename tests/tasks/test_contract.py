"""What every task must hold."""

import pytest
import torch

from entries import task_class
from mtbalance.errors import UserError
from mtbalance.registry import available

TASKS = {kind: task_class(kind)(kind, kind.title()) for kind in available("mtbalance.tasks")}
PIXELS = [kind for kind in TASKS if kind not in ("binary", "regression")]
NAMES = {
    "segmentation": {"miou": 1, "pixel_accuracy": 1},
    "depth": {"abs_error": -1, "rel_error": -1},
    "normal": {"mean_angle": -1, "median_angle": -1, "within_11_25": 1, "within_22_5": 1, "within_30": 1},
    "binary": {"auc": 1, "log_loss": -1, "ne": -1},
    "regression": {"rmse": -1, "mae": -1, "r2": 1},
}


def sample(kind: str, count: int = 7, height: int = 5, width: int = 6):
    """Outputs and targets; a third of the pixels, and all of the last image, have no target."""
    generator = torch.Generator().manual_seed(1)
    if kind == "binary":
        return torch.randn(count, generator=generator), torch.arange(count) % 2.0
    if kind == "regression":
        return torch.randn(2, count, generator=generator)
    shape = (count, {"segmentation": 4, "depth": 1, "normal": 3}[kind], height, width)
    output, target = (torch.randn(shape, generator=generator) for _ in range(2))
    valid = torch.rand(count, 1, height, width, generator=generator) < 2 / 3
    valid[-1] = False
    if kind == "segmentation":
        return output.log_softmax(dim=1), torch.where(valid.squeeze(1), target.argmax(dim=1), -1)
    if kind == "depth":
        return output, valid * (target.abs() + 0.1)
    return (torch.nn.functional.normalize(one) * factor for one, factor in ((output, 1), (target, valid)))


def measured(kind: str, output: torch.Tensor, target: torch.Tensor, sizes: list[int]) -> dict[str, float]:
    meter = TASKS[kind].meter()
    for part in zip(output.split(sizes), target.split(sizes), strict=True):
        meter.add(*part)
    return meter.result()


@pytest.mark.parametrize("kind", TASKS)
def test_metrics_have_names_and_directions(kind):
    task = TASKS[kind]
    assert task.metrics == NAMES[kind] and (task.name, task.title) == (kind, kind.title())
    found = measured(kind, *sample(kind), [7])
    assert {name for name in found if not name.endswith("_batch_mean")} == set(task.metrics)


@pytest.mark.parametrize("kind", TASKS)
def test_better_predictions_have_a_lower_loss_and_better_metrics(kind):
    task = TASKS[kind]
    output, target = sample(kind)
    perfect = {
        "binary": lambda: 4 * (target - 0.5),
        "segmentation": lambda: (
            5 * torch.nn.functional.one_hot(target.clamp(min=0), 4).movedim(-1, 1).float()
        ).log_softmax(dim=1),
    }.get(kind, lambda: target)()
    assert task.loss(perfect, target) < task.loss(output, target)
    good, bad = (measured(kind, one, target, [7]) for one in (perfect, output))
    for metric, direction in task.metrics.items():
        assert direction * good[metric] > direction * bad[metric]


@pytest.mark.parametrize("kind", TASKS)
def test_metrics_do_not_depend_on_how_rows_are_cut_into_batches(kind):
    output, target = sample(kind)
    whole = measured(kind, output, target, [7])
    for sizes in ([1] * 7, [3, 4], [2, 2, 3]):
        parts = measured(kind, output, target, sizes)
        assert {name: parts[name] for name in TASKS[kind].metrics} == pytest.approx(
            {name: whole[name] for name in TASKS[kind].metrics}, rel=1e-12
        )


@pytest.mark.parametrize("kind", PIXELS)
def test_without_any_target_the_loss_is_zero_without_gradient_and_metrics_are_refused(kind):
    output, target = (one[-1:] for one in sample(kind))
    output = output.clone().requires_grad_()
    loss = TASKS[kind].loss(output, target)
    loss.backward()
    assert loss == 0 and (output.grad == 0).all()
    with pytest.raises(UserError, match="no pixel has a"):
        measured(kind, output.detach(), target, [1])
    with pytest.raises(UserError, match="no pixel has a"):
        TASKS[kind].meter().result()


@pytest.mark.parametrize("kind", PIXELS)
def test_what_is_predicted_where_there_is_no_target_does_not_matter(kind):
    output, target = sample(kind)
    valid = (target != -1).unsqueeze(1) if kind == "segmentation" else (target != 0).any(dim=1, keepdim=True)
    other = torch.where(valid, output, output.roll(1, dims=0) * 3)
    assert TASKS[kind].loss(other, target) == TASKS[kind].loss(output, target)
    assert measured(kind, other, target, [3, 4]) == measured(kind, output, target, [3, 4])


@pytest.mark.parametrize("kind", PIXELS)
def test_losses_have_a_deterministic_form(kind):
    output, target = sample(kind)
    output = output.requires_grad_()
    torch.use_deterministic_algorithms(True)
    try:
        gradients = [torch.autograd.grad(TASKS[kind].loss(output, target), output)[0] for _ in range(2)]
    finally:
        torch.use_deterministic_algorithms(False)
    assert torch.equal(*gradients) and gradients[0].any()
