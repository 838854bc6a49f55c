"""train_step: one training step, from a batch to changed parameters; and predict: a model's outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mtbalance.balancing.levels import Level, StepReport
from mtbalance.balancing.levels.loss import weighted_sum
from mtbalance.config.training import TrainingConfig
from mtbalance.data.batch import Batch
from mtbalance.models.backbone import Backbone
from mtbalance.tasks import Task
from mtbalance.training.parts import own_part, shares_of

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


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
    """The K scalar losses of a batch on the model's device, in float32, each from its fork of the representation."""
    with mixed_precision(batch.inputs[0].device, training.precision):
        outputs = model.decode_all(level.fork(model.encode(in_memory_format(batch.inputs, training.channels_last))))
    return [
        task.loss(output.float(), target) for task, output, target in zip(tasks, outputs, batch.targets, strict=True)
    ]


def _recomputed(model: Backbone, losses_of: Callable[..., list[Tensor]], part: Batch) -> list[Tensor]:
    """The part's losses; backward passes compute them anew, with the same dropout, and move no running statistics."""
    losses: list[Tensor] = checkpoint(
        losses_of, *part, use_reentrant=False, context_fn=lambda: (nullcontext(), FrozenStatistics(model))
    )
    return losses


@torch.no_grad()
def predict(model: Backbone, inputs: tuple[Tensor, ...], training: TrainingConfig) -> list[Tensor]:
    """The outputs of every task in evaluation mode, at the precision of training."""
    model.eval()
    with mixed_precision(inputs[0].device, training.precision):
        return [output.float() for output in model(in_memory_format(inputs, training.channels_last))]


def mixed_precision(device: torch.device, precision: str) -> torch.autocast:
    """A context that computes products and convolutions in ``precision``; with float32 it does nothing."""
    return torch.autocast(device.type, dtype=DTYPES[precision], enabled=precision != "float32")


def in_memory_format(inputs: tuple[Tensor, ...], channels_last: bool) -> tuple[Tensor, ...]:
    """Images [B, C, H, W], with ``channels_last`` laid out pixel by pixel, which makes convolutions faster."""
    return tuple(i.contiguous(memory_format=torch.channels_last) for i in inputs) if channels_last else inputs


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
