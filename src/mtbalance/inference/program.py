"""Program: a kept model with as much of the encoding of raw rows as tensors allow, for ``torch.export``."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from mtbalance.data.ranking.raw_rows import is_text
from mtbalance.data.ranking.schema import RankingSchema, RankingTask
from mtbalance.inference.model import Model
from mtbalance.writing import replacing

ROWS = 2
"""Rows of the example that the program is traced with. The number of rows of a call is free."""


class Program(nn.Module):
    """Predictions [B, K] float32 for raw rows: categories [B, F] int64 and numbers [B, N] float32.

    A category that is a whole number is given as it is, a text as its place in the column's vocabulary, counted from 1
    (0: not in it). A number is given as it is, a missing one as NaN. The program looks up whole numbers, fills missing
    numbers in, normalizes and bins as :mod:`mtbalance.data.ranking.decode` does. A task's prediction is a probability,
    or a number in the units of the label, as the problem's ``answers`` are.
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model, self.schema = model.backbone, model.schema
        for place, category in enumerate(self.schema.categorical):
            if not is_text(category):
                self.register_buffer(f"vocabulary_{place}", torch.tensor(category.vocabulary, dtype=torch.int64))
        for place, number in enumerate(self.schema.numerical):
            if number.form != "number":
                kind = torch.float32 if number.form == "bins" else torch.float64
                self.register_buffer(f"knots_{place}", torch.tensor(number.knots, dtype=kind))

    def forward(self, categories: Tensor, numbers: Tensor) -> Tensor:
        """[B, K]."""
        ids = [self._indices(place, values) for place, values in enumerate(categories.unbind(1))]
        given: list[Tensor] = []
        for place, values in enumerate(numbers.unbind(1)):
            if self.schema.numerical[place].form == "bins":
                ids.append(self._bin(place, values))
            else:
                given.append(self._normalized(place, values))
        inputs = (torch.stack(ids, 1) if ids else categories, torch.stack(given, 1) if given else numbers[:, :0])
        outputs = zip(self.schema.tasks, self.model(inputs), strict=True)
        return torch.stack([_answer(task, output).float() for task, output in outputs], 1)

    def _indices(self, place: int, values: Tensor) -> Tensor:
        """Places in the vocabulary, from 1, of the values [B] of one column; 0 for those not in it."""
        if is_text(self.schema.categorical[place]):
            return values
        vocabulary = self.get_buffer(f"vocabulary_{place}")
        found = torch.searchsorted(vocabulary, values.contiguous()).clamp(max=len(vocabulary) - 1)
        return torch.where(vocabulary[found] == values, found + 1, 0)

    def _bin(self, place: int, values: Tensor) -> Tensor:
        """The bins, from 1, of the numbers [B] of one column; 0 for missing ones."""
        found = torch.searchsorted(self.get_buffer(f"knots_{place}"), values.contiguous(), right=True).clamp(min=1)
        return torch.where(values.isnan(), 0, found)

    def _normalized(self, place: int, values: Tensor) -> Tensor:
        """The numbers [B] of one column as the backbone takes them, computed in float64."""
        column = self.schema.numerical[place]
        filled = torch.where(values.isnan(), column.mean, values.double())
        if column.form == "quantile":
            filled = _interpolated(filled, self.get_buffer(f"knots_{place}"))
        elif self.schema.normalize == "standard":
            filled = (filled - column.mean) / (column.std or 1.0)
        return filled.float()


def _answer(task: RankingTask, output: Tensor) -> Tensor:
    """What outputs [B] stand for: probabilities, or numbers in the units of the label, computed in float64."""
    if task.loss is None:
        return output.sigmoid()
    numbers = output.double() * task.std + task.mean
    return numbers.expm1() if task.loss == "log1p" else numbers


def _interpolated(values: Tensor, knots: Tensor) -> Tensor:
    """The places of values [B] among ascending knots, linear between two of them: -1 is the first, 1 the last."""
    steps = len(knots) - 1
    if steps == 0:
        return torch.full_like(values, -1)
    above = torch.searchsorted(knots, values, right=True).clamp(1, steps)
    low, high = knots[above - 1], knots[above]
    share = ((values - low) / (high - low)).clamp(0, 1)
    return 2 * (above - 1 + share) / steps - 1


def example(schema: RankingSchema) -> tuple[Tensor, Tensor]:
    """Rows that the program is traced with."""
    return torch.zeros(ROWS, len(schema.categorical), dtype=torch.int64), torch.zeros(ROWS, len(schema.numerical))


def write_program(model: Model, path: Path) -> None:
    """Export the model's program to ``path`` (.pt2), with any number of rows, whole or not at all."""
    rows = torch.export.Dim("rows", min=1)
    program = torch.export.export(
        Program(model).eval(), example(model.schema), dynamic_shapes=({0: rows}, {0: rows}), strict=False
    )
    packed = io.BytesIO()  # torch does not say it of a file when the disk is full
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "No complete tensor")  # a buffer that is part of a longer one is stored well
        torch.export.save(program, packed)
    with replacing(path) as partial:
        partial.write_bytes(packed.getvalue())
