"""The run record: the fields that describe one training run. ``training/record.py`` fills them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, Self

from pydantic import model_validator

from mtbalance.blocks import refuse
from mtbalance.canonical import checksum_of
from mtbalance.records import bounds
from mtbalance.records.evaluation import ByTask, Evaluation
from mtbalance.records.parts import FORMAT, Environment, Format, Part


class RunName(Part):
    """The run's place in the grid, by the names in ``params.yaml``."""

    experiment: str
    """The experiment."""
    dataset: str
    """The data set."""
    backbone: str
    """The backbone."""
    balancer: str
    """The balancer."""
    seed: int
    """The seed of the initialization and of the order of the data."""


class TaskFacts(Part):
    """A task, and how its metrics are to be read."""

    name: str
    """The name that keys have."""
    title: str
    """The name that tables have."""
    metrics: dict[str, int]
    """Each metric in the order of tables: 1 if higher is better, -1 if lower is better."""


class DataFacts(Part):
    """The prepared data set that the run was trained on."""

    synthetic: bool
    """True for stand-in data, which are no paper's data."""
    sha256: dict[str, str]
    """SHA-256 of each split's Parquet file, by split."""
    rows: dict[str, int]
    """Number of rows, by split."""
    labels: dict[str, dict[str, int]] = {}
    """Ranking: number of rows that have a label, by split and task."""
    rates: dict[str, ByTask] = {}
    """Ranking: share of positive labels in the rows that have one, by split and binary task."""
    best_auc: dict[str, dict[str, float | None]] | None = None
    """Ranking: AUC of the true probabilities, by split and task. Only a generator knows it: null for real data."""
    leaks: dict[str, ByTask] = {}
    """Ranking: features that alone tell a label almost surely, with their AUC, by task and column."""
    constant: dict[str, dict[str, float]] = {}
    """Scenes: metrics on the test split of a constant prediction that ignores the image, by task and metric."""


class ModelSize(Part):
    """Numbers of parameters, as the graph of one row shows them."""

    parameters: int
    """All parameters."""
    shared: int
    """Parameters that several tasks' outputs depend on. 0 means that the tasks have models of their own."""
    private: int
    """Parameters that a single task's output depends on."""


class EpochSeconds(Part):
    """The seconds of an epoch, by what they were spent on."""

    data: float
    """Waiting for batches."""
    step: float
    """Training steps."""
    evaluation: float
    """Evaluation after the epoch."""


class EpochRecord(Part):
    """One epoch: a pass over the training rows, and the evaluation after it."""

    epoch: int
    """Number of the epoch, from 1."""
    train_loss: ByTask
    """Mean training loss over the epoch's rows, by task."""
    weights: ByTask
    """Mean weight over the epoch's steps, by task."""
    diagnostics: dict[str, float]
    """Means over the epoch's searches for weights, such as the cosine between the tasks' rows. Empty without one."""
    searches: int
    """Steps in which weights were searched."""
    samples: int
    """Rows that were trained on."""
    seconds: EpochSeconds
    """Seconds by what they were spent on."""
    evaluation: Evaluation
    """Metrics on the split that ``evaluated`` names."""


class Speed(Part):
    """Training speed over all epochs. Null if no epoch was finished."""

    samples_per_second: float | None
    """Rows over the seconds of training steps."""
    samples_per_second_with_data: float | None
    """Rows over the seconds of training steps and of waiting for batches."""


class RunRecord(Part):
    """One training run: its configuration, its surroundings, and its results."""

    format: Format = FORMAT
    """Version of the record."""
    run: RunName
    """The run's place in the grid."""
    config: dict[str, Any]
    """The complete configuration, as passed to ``mtbalance train``, with all defaults filled in."""
    digest: str
    """First 12 hexadecimal digits of the SHA-256 of the configuration's canonical JSON."""
    code: str
    """SHA-256 over the source files that the run's numbers depend on."""
    tasks: list[TaskFacts]
    """The tasks, in the order of the model's outputs."""
    data: DataFacts
    """The data set."""
    environment: Environment
    """Software and machine."""
    model: ModelSize
    """Size of the model."""
    started: str | None = None
    """When training began, as ISO 8601 in UTC; of a resumed run, when it first began. Null in older records."""
    ended: str | None = None
    """When the record was made, as ISO 8601 in UTC. Null in older records."""
    epochs: list[EpochRecord]
    """The finished epochs."""
    evaluated: str
    """The split that is evaluated after every epoch."""
    selection: str
    """The split whose score chose the best epoch, or ``last``: none was chosen."""
    best_epoch: int
    """The chosen epoch, the last of several; with selection ``last`` the last one, and 0 if none was finished."""
    best_epochs: dict[str, int] = {}
    """The chosen epoch of each task, where nothing is shared, so that each has a model of its own. Else empty; and in
    older records, whose ``best_epoch`` was chosen for all tasks together."""
    unconverged: list[str] = []
    """Signs that training had not converged, a sentence each: the last epoch was chosen; where none is chosen, the last
    ones were still better than those before; or a task is predicted worse than by a constant. Empty if there is none,
    for a diverged run, and in older records."""
    test: Evaluation | None
    """Metrics on the test split: of the best epoch's model, or means over the last epochs. Null for a diverged run."""
    speed: Speed
    """Training speed."""
    peak_memory_mb: float
    """Peak memory of the process, or of the GPU, in units of 2^20 bytes."""
    rows_mb: float
    """Memory of the K rows that are balanced, in units of 2^20 bytes. 0 if losses are balanced."""
    status: Literal["finished", "diverged"]
    """``diverged``: losses or outputs stopped being finite, and training ended there."""

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> Self:
        refuse(("", fault) for fault in self._faults())
        return self

    def _faults(self) -> Iterator[str]:
        if checksum_of(self.config)[: len(self.digest)] != self.digest:
            yield f"digest {self.digest} is not that of the configuration"
        if (self.status == "finished") != (self.test is not None):
            yield f"status {self.status} goes {'with' if self.test is None else 'without'} test metrics"
        if [epoch.epoch for epoch in self.epochs] != list(range(1, len(self.epochs) + 1)):
            yield "the epochs are not numbered from 1"
        if not 0 <= self.best_epoch <= len(self.epochs):
            yield f"best_epoch is {self.best_epoch} of {len(self.epochs)}"
        if self.best_epochs and max(self.best_epochs.values()) != self.best_epoch:
            yield f"best_epoch is {self.best_epoch}, and the last of best_epochs is {max(self.best_epochs.values())}"
        for evaluation in (*(epoch.evaluation for epoch in self.epochs), self.test or {}):
            yield from bounds.faults(evaluation)
