"""One training step: from a batch to changed parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from mtbalance.backbones import Backbone
from mtbalance.config import TrainingConfig
from mtbalance.data.batch import Batch
from mtbalance.levels import Level, StepReport
from mtbalance.tasks import Task

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def train_step(
    model: Backbone, tasks: Sequence[Task], level: Level, batch: Batch, device: torch.device, training: TrainingConfig
) -> StepReport:
    """Encode once, decode each task from its fork of the representation, and let the level do its step."""
    inputs, targets = batch.to(device)

    def losses() -> list[Tensor]:
        with mixed_precision(device, training.precision):
            outputs = model.decode_all(level.fork(model.encode(in_memory_format(inputs, training.channels_last))))
        return [task.loss(output.float(), target) for task, output, target in zip(tasks, outputs, targets, strict=True)]

    def again() -> list[Tensor]:
        with frozen_statistics(model):
            return losses()

    return level.step(losses(), again)


@torch.no_grad()
def predict(model: Backbone, inputs: tuple[Tensor, ...], training: TrainingConfig) -> list[Tensor]:
    """The outputs of every task in evaluation mode, at the precision of training."""
    model.eval()
    with mixed_precision(inputs[0].device, training.precision):
        return [output.float() for output in model(in_memory_format(inputs, training.channels_last))]


def mixed_precision(device: torch.device, precision: str) -> torch.autocast:
    """Products and convolutions in ``precision``, where it is not float32."""
    return torch.autocast(device.type, dtype=DTYPES[precision], enabled=precision != "float32")


def in_memory_format(inputs: tuple[Tensor, ...], channels_last: bool) -> tuple[Tensor, ...]:
    """Images [B, C, H, W] laid out pixel by pixel where ``channels_last``, which convolutions are faster on."""
    return tuple(i.contiguous(memory_format=torch.channels_last) for i in inputs) if channels_last else inputs


@contextmanager
def frozen_statistics(model: nn.Module) -> Iterator[None]:
    """Batch norm goes on normalising by the batch, but its running statistics stay as they are."""
    norms = [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    momenta = [module.momentum for module in norms]
    for module in norms:
        module.momentum = 0.0
    try:
        yield
    finally:
        for module, momentum in zip(norms, momenta, strict=True):
            module.momentum = momentum
