"""The options of ranking backbones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from mtbalance.blocks import Count
from mtbalance.config.models import ModelSizes


class RankingShape(NamedTuple):
    """The rows that a ranking backbone is built for."""

    cardinalities: Sequence[int]
    """Rows of each categorical column's embedding table: its training values, and the unknown one."""
    numbers: int
    """Numerical columns."""
    tasks: int
    """Tasks."""
    knots: Sequence[Sequence[float]] = ()
    """Ascending knots of each numerical column, in the units that the model gets; for ``numbers: piecewise``."""


class RankingSizes(ModelSizes):
    """Sizes that all ranking backbones share, so that they are compared at one capacity."""

    problem: str = "ranking"
    embedding: Count = 128
    """Width of each categorical embedding, and of each field of numbers."""
    numbers: Literal["linear", "fields", "piecewise", "periodic"] | None = None
    """How the model takes numbers. ``linear``: one linear field for all of them, which loses information if there are
    more numbers than ``embedding``. ``fields``: a linear field for each number. ``piecewise``: a piecewise linear field
    for each, with knots at quantiles of the training rows. ``periodic``: sines and cosines of each, then a linear layer
    and a ReLU. The last two are of Gorishniy et al. 2022. Default: ``piecewise`` on a table of one's own, else
    ``linear``."""
    expert: list[Count] = [512, 256]
    """Hidden layers of an expert (and of a shared bottom)."""
    tower: list[Count] = [128, 64]
    """Hidden layers of a task's tower."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """Share of units that dropout sets to zero, after every hidden layer."""
    batch_norm: bool = True
    """Normalize the units of hidden layers over the batch."""
    head_bias: Literal["zero", "rate"] = "zero"
    """Start of the bias of each task's output. ``zero``: drawn about 0, as PyTorch does. ``rate``: what is best for all
    rows alike, the log-odds of the training rate, or the training mean of a regression."""

    @property
    def one_field(self) -> bool:
        """True if all numbers have one field together."""
        return self.numbers in (None, "linear")


Place = Annotated[
    Literal["fork", "fields"],
    "Where balancers at the representation level act. `fork`: after the trunk, where the tasks fork. `fields`: at the "
    "embeddings' output, which all tasks read. The trunk then costs a forward and a backward pass for each task, and "
    "gets the sum of the losses' own gradients.",
]
