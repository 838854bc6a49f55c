"""The timing record: what the balancers cost on one data set and backbone."""

from __future__ import annotations

from pydantic import PositiveFloat

from mtbalance.records.parts import FORMAT, Environment, Format, Part
from mtbalance.records.run import ModelSize


class BalancerTiming(Part):
    """Training steps of one balancer against those of the baseline."""

    seconds_a_step: PositiveFloat
    """Seconds of a step, median over blocks; on a CPU the processor's, so that other programs do not count."""
    seconds_a_search: float | None = None
    """Seconds by which a step with a search takes longer than one without, median over blocks. Null if every step is
    of one kind."""
    relative_throughput: PositiveFloat
    """The baseline's seconds over the balancer's, median over blocks."""
    quartiles: tuple[PositiveFloat, PositiveFloat]
    """Quartiles of the relative throughput over blocks."""
    relative_throughput_with_data: PositiveFloat
    """Relative throughput with the wait for batches included, median over blocks."""
    quartiles_with_data: tuple[PositiveFloat, PositiveFloat]
    """Quartiles of the relative throughput with data, over blocks."""


class TimingRecord(Part):
    """The balancers of one data set and backbone, timed in turn in one process."""

    format: Format = FORMAT
    """Version of the record."""
    experiment: str
    """The experiment."""
    dataset: str
    """The data set."""
    backbone: str
    """The backbone."""
    baseline: str
    """The balancer that the others are compared with."""
    digests: dict[str, str]
    """Digest of the timed configuration, by balancer."""
    blocks: int
    """Blocks of steps, which all balancers took in turn."""
    steps: int
    """Steps of a block."""
    batch_size: int
    """Rows of a step."""
    synthetic: bool
    """True for stand-in data, which are no paper's data."""
    train_rows: int
    """Training rows of the data set: an epoch's."""
    model: ModelSize
    """Numbers of parameters."""
    environment: Environment
    """Software and machine."""
    seconds_a_batch_from_data: float
    """Seconds that a batch takes to come from Parquet."""
    balancers: dict[str, BalancerTiming]
    """The measurements, by balancer."""
