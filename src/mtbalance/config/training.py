"""TrainingConfig: the options of everything between a model and its test metrics."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mtbalance.balancing.options import OptimizerOptions
from mtbalance.blocks import Block, Count, Fraction, Positive


class ScheduleConfig(Block):
    """Changes of the learning rate. Default: it is constant."""

    warmup: Fraction = 0.0
    """Share of all steps over which the learning rate rises linearly from zero."""
    every: Annotated[int, Field(ge=0)] = 0
    """Epochs between drops of the learning rate; 0: it never drops."""
    factor: Positive = 0.5
    """Factor of the learning rate at each drop."""


class TrainingConfig(Block):
    """Everything between a model and its test metrics."""

    epochs: Count
    """Passes over the training rows, at most."""
    batch_size: Count = 4096
    """Rows of a batch."""
    optimizer: OptimizerOptions = OptimizerOptions()
    """The optimizer, the same for all methods."""
    patience: Annotated[int, Field(ge=0)] = 3
    """Stop after this many epochs without a better mean AUC; 0: never."""
    selection: Literal["valid", "test", "last"] = "valid"
    """Split whose mean AUC chooses the best epoch. ``test`` repeats a published habit, and the tables say so. With
    ``last`` no epoch is chosen: the test metrics are means over the last ``last_epochs`` epochs."""
    last_epochs: Count = 1
    """Number of epochs that the test metrics are means over, with ``selection: last``."""
    schedule: ScheduleConfig = ScheduleConfig()
    """Changes of the learning rate."""
    micro_batches: Count = 1
    """Parts that a batch is computed in, to bound memory (gradient accumulation); not at level representation. Batch
    norm then normalizes each part by itself."""
    precision: Literal["float32", "bfloat16", "float64"] = "float32"
    """``bfloat16``: products and convolutions in bfloat16, parameters and losses in float32 (autocast). ``float64``:
    double precision, to see whether two machines differ by more than rounding."""
    channels_last: bool = False
    """Lay images out pixel by pixel in memory (scenes only)."""
    augment: bool = False
    """Crop and flip training images at random (scenes only)."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """The device to train on; ``auto``: a CUDA device if there is one, else the CPU."""
