"""Training: everything between a model and its test metrics."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mtbalance.config.blocks import Count, Fraction, NonNegative, Positive, Strict


class OptimizerConfig(Strict):
    """The optimiser, and the one meaning of weight decay for all methods."""

    name: Literal["adam", "adagrad", "rmsprop"] = "adam"
    lr: Positive = 1e-3
    weight_decay: NonNegative = 1e-6
    decay: Literal["decoupled", "coupled"] = "decoupled"
    """``decoupled``: parameters shrink by lr times weight_decay, apart from the gradient (AdamW);
    ``coupled``: weight_decay times the parameter is added to the gradient (Adam)."""


class ScheduleConfig(Strict):
    """How the learning rate changes; left out, it does not."""

    warmup: Fraction = 0.0
    """Share of all steps over which it rises linearly from nothing."""
    every: Annotated[int, Field(ge=0)] = 0
    """Epochs between drops; 0: it never drops."""
    factor: Positive = 0.5
    """What a drop multiplies it by."""


class TrainingConfig(Strict):
    """Everything between a model and its test metrics."""

    epochs: Count
    batch_size: Count = 4096
    optimizer: OptimizerConfig = OptimizerConfig()
    patience: Annotated[int, Field(ge=0)] = 3
    """Stop after this many epochs without a better mean AUC; 0: never."""
    selection: Literal["valid", "test", "last"] = "valid"
    """Split whose mean AUC chooses the best epoch; ``test`` repeats a published habit and says so in the tables.
    ``last``: no epoch is chosen, and the test metrics are means over the last ``last_epochs`` epochs."""
    last_epochs: Count = 1
    schedule: ScheduleConfig = ScheduleConfig()
    micro_batches: Count = 1
    """Parts that a batch is computed in, to bound memory (gradient accumulation); not at level representation. Batch
    norm then normalises each part by itself."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """``bfloat16``: products and convolutions in bfloat16, parameters and losses in float32 (autocast)."""
    channels_last: bool = False
    """Images laid out pixel by pixel in memory (scenes only)."""
    augment: bool = False
    """Random crops and flips of training images (scenes only)."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
