"""train_step: one training step, from a batch to changed parameters; and predict: a model's outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mtbalance.balancing.levels import Level, StepReport
from mtbalance.balancing.levels.loss import weighted_sum
from mtbalance.balancing.rows import at_least_float32
from mtbalance.config.training import TrainingConfig
from mtbalance.data.batch import Batch
from mtbalance.models.backbone import Backbone
from mtbalance.tasks import Task
from mtbalance.training.parts import own_part, shares_of


def train_step(
    model: Backbone, tasks: Sequence[Task], level: Level, batch: Batch, device: torch.device, training: TrainingConfig
) -> StepReport:
    """Encode once, decode each task from its fork of the representation, and let the level do its step.

    With ``micro_batches`` a batch is computed in parts, and a loss is the mean over parts, weighted by their rows, or
    pixels, that have a label. The activations of a part are not kept: every backward pass computes them again, as
    gradient checkpointing does, so that memory is needed for one part only. The level sees whole losses, and balances
    as ever.

    Where several processes train together, each of them gives the same ``batch`` and computes its part of it.
    """
    among = level.processes()
    batch, factors = own_part(tasks, batch.to(device), among)

    def losses_of(*part: tuple[Tensor, ...]) -> list[Tensor]:
        return task_losses(model, tasks, level, Batch(*part), training)

    def losses() -> list[Tensor]:
        found = own_losses()
        return found if among.size == 1 else [f * loss for f, loss in zip(factors.tolist(), found, strict=True)]

    def own_losses() -> list[Tensor]:
        if training.micro_batches == 1:
            return losses_of(*batch)
        parts = batch.parts(training.micro_batches)
        found = [_recomputed(model, losses_of, part) for part in parts]
        pairs = zip(zip(*found, strict=True), shares_of(tasks, parts), strict=True)
        return [weighted_sum(list(column), shares) for column, shares in pairs]

    def again() -> list[Tensor]:
        with FrozenStatistics(model):
            return losses()

    return level.step(losses(), again)


def task_losses(
    model: Backbone, tasks: Sequence[Task], level: Level, batch: Batch, training: TrainingConfig
) -> list[Tensor]:
    """The K scalar losses of a batch on the model's device, each from its fork of the representation.

    They are in float32, or in float64 if the model is.
    """
    with mixed_precision(batch.inputs[0].device, training.precision):
        outputs = model.decode_all(level.fork(model.encode(as_inputs(batch.inputs, training))))
    return [
        task.loss(*_precise(output, target)) for task, output, target in zip(tasks, outputs, batch.targets, strict=True)
    ]


def _recomputed(model: Backbone, losses_of: Callable[..., list[Tensor]], part: Batch) -> list[Tensor]:
    """The part's losses; backward passes compute them anew, with the same dropout, and move no running statistics."""
    losses: list[Tensor] = checkpoint(
        losses_of, *part, use_reentrant=False, context_fn=lambda: (nullcontext(), FrozenStatistics(model))
    )
    return losses


@torch.no_grad()
def predict(model: Backbone, inputs: tuple[Tensor, ...], training: TrainingConfig) -> list[Tensor]:
    """The outputs of every task in evaluation mode, computed at the precision of training; float32."""
    model.eval()
    with mixed_precision(inputs[0].device, training.precision):
        return [output.float() for output in model(as_inputs(inputs, training))]


def mixed_precision(device: torch.device, precision: str) -> torch.autocast:
    """A context that computes products and convolutions in bfloat16, if that is the precision."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16")


def as_inputs(inputs: tuple[Tensor, ...], training: TrainingConfig) -> tuple[Tensor, ...]:
    """The inputs of a batch as the run's model takes them.

    With ``channels_last`` images [B, C, H, W] are laid out pixel by pixel, which makes convolutions faster.
    """
    if training.precision == "float64":
        inputs = tuple(i.double() if i.is_floating_point() else i for i in inputs)
    return tuple(i.contiguous(memory_format=torch.channels_last) for i in inputs) if training.channels_last else inputs


def _precise(output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """An output in float32 or better, and its target likewise."""
    output = at_least_float32(output)
    return output, target.to(output.dtype) if target.is_floating_point() else target


class FrozenStatistics:
    """A context in which batch norm goes on normalizing by the batch, but its running statistics stay as they are.

    It may be entered again and again, as recomputation does.
    """

    def __init__(self, model: nn.Module) -> None:
        self.norms = [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]

    def __enter__(self) -> None:
        self.momenta = [norm.momentum for norm in self.norms]
        for norm in self.norms:
            norm.momentum = 0.0

    def __exit__(self, *_: object) -> None:
        for norm, momentum in zip(self.norms, self.momenta, strict=True):
            norm.momentum = momentum
