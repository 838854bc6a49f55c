"""Program: a kept model with as much of the encoding of raw rows as tensors allow, for ``torch.export``."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from mtbalance.data.ranking.raw_rows import is_text
from mtbalance.data.ranking.schema import RankingSchema
from mtbalance.data.ranking.table_form import TableForm
from mtbalance.errors import UserError
from mtbalance.inference.model import Model
from mtbalance.writing import replacing

ROWS = 2
"""Rows of the example that the program is traced with. The number of rows of a call is free."""


class Program(nn.Module):
    """Probabilities [B, K] of raw rows: categories [B, F] int64 and numbers [B, N] float32.

    A category that is a whole number is given as it is, a text as its place in the column's vocabulary, counted from 1
    (0: not in it). A number is given as it is, a missing one as NaN. The program looks up whole numbers, fills missing
    numbers in and normalizes as :mod:`mtbalance.data.ranking.decode` does.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, model: Model) -> None:
        super().__init__()
        schema = model.schema
        self.model, self.schema = model.backbone, schema
        self.answers = model.problem.answers
        for place, column in enumerate(schema.categorical):
            if not is_text(column):
                self.register_buffer(f"vocabulary_{place}", torch.tensor(column.vocabulary, dtype=torch.int64))
        if unknown := unknown_to_programs(schema):
            raise UserError(f"this model cannot be exported: {unknown[0]}; `mtbalance predict` takes its raw rows")
        standard = schema.normalize == "standard"
        deviations = [column.std or 1.0 if standard else 1.0 for column in schema.numerical]
        self.register_buffer("mean", torch.tensor([column.mean for column in schema.numerical], dtype=torch.float64))
        self.register_buffer("scale", torch.tensor(deviations, dtype=torch.float64))

    def forward(self, categories: Tensor, numbers: Tensor) -> Tensor:
        """[B, K]."""
        ids = [self._indices(place, column) for place, column in enumerate(categories.unbind(1))]
        outputs = self.model((torch.stack(ids, 1) if ids else categories, self._normalized(numbers)))
        return torch.stack(self.answers(outputs), 1)

    def _indices(self, place: int, values: Tensor) -> Tensor:
        """Places in the vocabulary, from 1, of the values [B] of one column; 0 for those not in it."""
        if is_text(self.schema.categorical[place]):
            return values
        vocabulary = self.get_buffer(f"vocabulary_{place}")
        found = torch.searchsorted(vocabulary, values.contiguous()).clamp(max=len(vocabulary) - 1)
        return torch.where(vocabulary[found] == values, found + 1, 0)

    def _normalized(self, numbers: Tensor) -> Tensor:
        """Numbers [B, N] as the backbone takes them, computed in float64."""
        values = torch.where(numbers.isnan(), self.mean, numbers.double())
        if self.schema.normalize == "standard":
            values = (values - self.mean) / self.scale
        return values.float()


def unknown_to_programs(schema: RankingSchema) -> list[str]:
    """The tasks and features of a data set that programs do not know yet, a sentence each."""
    form = TableForm.model_validate(schema.form) if schema.form else None
    found = [f"the task {task.name} is a regression" for task in schema.tasks if task.loss is not None]
    found += [
        f"the column {column.name} is given as {column.form}" for column in schema.numerical if column.form != "number"
    ]
    if form:
        found += [
            f"the column {feature.column} is given as log1p" for feature in form.numerical if feature.form == "log1p"
        ]
        found += [f"the column {name} is marked where it is missing" for name in form.marks().values()]
        found += [
            f"the column {name} is hashed" for name, feature in form.category_columns().items() if feature.buckets
        ]
        found += [
            f"the column {feature.column} is given twice"
            for name, feature in form.category_columns().items()
            if name != feature.column
        ]
    return found


def example(schema: RankingSchema) -> tuple[Tensor, Tensor]:
    """Rows that the program is traced with."""
    return torch.zeros(ROWS, len(schema.categorical), dtype=torch.int64), torch.zeros(ROWS, len(schema.numerical))


def write_program(model: Model, path: Path) -> None:
    """Export the model's program to ``path`` (.pt2), with any number of rows, whole or not at all."""
    rows = torch.export.Dim("rows", min=1)
    program = torch.export.export(
        Program(model).eval(), example(model.schema), dynamic_shapes=({0: rows}, {0: rows}), strict=False
    )
    with warnings.catch_warnings(), replacing(path) as partial, partial.open("wb") as stream:
        warnings.filterwarnings("ignore", "No complete tensor")  # a buffer that is part of a longer one is stored well
        torch.export.save(program, stream)
