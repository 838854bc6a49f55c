"""How a model takes the numbers of a row: modules from numbers [B, N] to fields [B, fields * embedding]."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mtbalance.errors import UserError
from mtbalance.models.ranking._layers import GroupedLinear
from mtbalance.models.ranking._options import RankingShape, RankingSizes

FREQUENCIES = 16
SCALE = 0.1
"""Standard deviation of the first frequencies, in turns per standard deviation of a number."""
TINY = torch.finfo(torch.float32).tiny


def numbers_encoder(shape: RankingShape, sizes: RankingSizes) -> nn.Module:
    """The module that ``sizes.numbers`` names, for the numerical columns of ``shape``.

    Raises :class:`UserError` if it needs knots and there are none.
    """
    if sizes.one_field:
        return nn.Linear(shape.numbers, sizes.embedding)
    if sizes.numbers == "fields":
        return LinearFields(shape.numbers, sizes.embedding)
    if sizes.numbers == "periodic":
        return PeriodicFields(shape.numbers, sizes.embedding)
    if len(shape.knots) != shape.numbers or not all(shape.knots):
        raise UserError("`numbers: piecewise` needs knots, which the prepared data do not have; prepare them again")
    return PiecewiseFields(shape.knots, sizes.embedding)


class LinearFields(nn.Module):
    """A linear field for each number: [B, N] -> [B, N * embedding]."""

    def __init__(self, numbers: int, embedding: int) -> None:
        super().__init__()
        self.linear = GroupedLinear(numbers, 1, embedding)

    def forward(self, numbers: Tensor) -> Tensor:
        """[B, N * embedding]."""
        fields: Tensor = self.linear(numbers.unsqueeze(2))
        return fields.flatten(1)


class PeriodicFields(nn.Module):
    """Sines and cosines of each number, then a linear layer and a ReLU: [B, N] -> [B, N * embedding].

    Gorishniy et al. 2022, "On Embeddings for Numerical Features in Tabular Deep Learning": the frequencies of each
    number are learned, and drawn from a normal distribution at first (their PLR).
    """

    def __init__(self, numbers: int, embedding: int) -> None:
        super().__init__()
        self.frequencies = nn.Parameter(torch.randn(numbers, FREQUENCIES) * SCALE)
        self.linear = GroupedLinear(numbers, 2 * FREQUENCIES, embedding)

    def forward(self, numbers: Tensor) -> Tensor:
        """[B, N * embedding]."""
        angles = 2 * math.pi * self.frequencies * numbers.unsqueeze(2)
        waves: Tensor = self.linear(torch.cat([angles.sin(), angles.cos()], dim=2))
        return waves.relu().flatten(1)


class PiecewiseFields(nn.Module):
    """A piecewise linear field for each number: [B, N] -> [B, N * embedding].

    A field is a linear one, as in :class:`LinearFields`, plus embeddings at the knots of its number, between which they
    change linearly. Together they give the functions of a linear layer on the piecewise linear encoding of Gorishniy
    et al. 2022 (T), but straight on beyond the last knots. Here a number costs two look-ups, however many knots there
    are. The embeddings begin at zero, so that a field bends only where rows make it: with embeddings drawn at random
    and no linear part, small tables are learned by heart.
    """

    knots: Tensor
    offsets: Tensor
    last: Tensor

    def __init__(self, knots: Sequence[Sequence[float]], embedding: int) -> None:
        super().__init__()
        counts = torch.tensor([len(own) for own in knots])
        padded = torch.full((len(knots), int(counts.max())), math.inf)
        for row, own in zip(padded, knots, strict=True):
            row[: len(own)] = torch.tensor(own)
        self.register_buffer("knots", padded, persistent=False)
        self.register_buffer("offsets", (counts.cumsum(0) - counts).unsqueeze(1), persistent=False)
        self.register_buffer("last", counts.unsqueeze(1) - 1, persistent=False)
        self.straight = LinearFields(len(knots), embedding)
        self.bends = nn.Embedding(int(counts.sum()), embedding)
        nn.init.zeros_(self.bends.weight)

    def forward(self, numbers: Tensor) -> Tensor:
        """[B, N * embedding]."""
        straight: Tensor = self.straight(numbers)
        return straight + self._bent(numbers).transpose(0, 1).flatten(1)

    def _bent(self, numbers: Tensor) -> Tensor:
        """The embeddings between the knots [N, B, embedding]."""
        columns = numbers.T.contiguous()  # [N, B]
        right = torch.searchsorted(self.knots, columns).minimum(self.last)
        left = (right - 1).clamp(min=0)
        start, end = self.knots.gather(1, left), self.knots.gather(1, right)
        share = ((columns - start) / (end - start).clamp(min=TINY)).clamp(0, 1)
        ends = self.bends(left + self.offsets), self.bends(right + self.offsets)
        return torch.lerp(*ends, share.unsqueeze(2))
