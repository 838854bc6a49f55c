"""Fields: the embedding of a row, which every ranking backbone begins with."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mtbalance.models.ranking._numbers import numbers_encoder
from mtbalance.models.ranking._options import RankingShape, RankingSizes


class Fields(nn.Module):
    """Embeds a row: one embedding for each categorical column, and the numbers as ``sizes.numbers`` says.

    ids [B, F] (0 is the unknown id of each column) and numbers [B, N] -> [B, width]. All embeddings lie in one table,
    in which the rows of column c begin at its offset.
    """

    offsets: Tensor

    def __init__(self, shape: RankingShape, sizes: RankingSizes) -> None:
        super().__init__()
        rows = torch.tensor([0, *shape.cardinalities])
        self.register_buffer("offsets", rows.cumsum(0)[:-1].to(torch.int64), persistent=False)
        self.table = nn.Embedding(int(rows.sum()), sizes.embedding)
        nn.init.xavier_uniform_(self.table.weight)
        self.numeric = numbers_encoder(shape, sizes) if shape.numbers else None
        fields = 0 if not shape.numbers else 1 if sizes.one_field else shape.numbers
        self.width = sizes.embedding * (len(shape.cardinalities) + fields)

    def forward(self, ids: Tensor, numbers: Tensor) -> Tensor:
        """[B, width]."""
        rows = (ids + self.offsets).flatten()
        found = self.table.weight.index_select(0, rows)  # the backward pass of self.table(rows) takes twice as long
        fields = torch.unflatten(found, 0, ids.shape).flatten(1)
        return fields if self.numeric is None else torch.cat([fields, self.numeric(numbers)], dim=1)
