"""Experiment: data sets, a grid of backbones and balancers, and seeds. Its tables and figures show its runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from mtbalance.blocks import Block, Count, Once, Seed, refuse
from mtbalance.config.contradictions import of_training
from mtbalance.config.kinds import TIMED_FIGURES, TIMED_TABLES, ProblemKind, kind, kinds
from mtbalance.config.run import DEFAULT_PROBLEM, Model
from mtbalance.config.training import TrainingConfig
from mtbalance.config.tuning import Trial, Tuning

Names = Annotated[list[str], Field(min_length=1), Once]
TUNING = "tuning"
"""The table of all trials, which every tuned experiment has."""
CALIBRATION = "calibration"
"""The table and the figure of calibrated predictions."""
MARKET = "market"
"""The table and the figure of the simulated A/B tests."""


class Timing(Block):
    """The timing of balancers against the baseline."""

    blocks: Count = 10
    """Blocks of steps, all balancers taking turns; the median over blocks is reported."""
    steps: Count = 10
    """Steps in a block; a multiple of the longest search period."""


class Experiment(Block):
    """A grid of runs: every seed x backbone x balancer on each data set."""

    title: str
    """The title over its tables."""
    datasets: Names
    """The data sets, each a key of ``datasets``."""
    grid: Annotated[dict[str, Names], Field(min_length=1)]
    """The balancers that are run on each backbone. ``pub@rescale=sum_to_1,every=1`` is a variant: the balancer ``pub``
    with these options replaced. A key of ``training`` replaces the experiment's: ``ls@optimizer.lr=0.006``."""
    seeds: Annotated[list[Seed], Once]
    """One run each. A seed changes the initialization and the order of the data. Without a seed nothing is trained: the
    balancers are only timed."""
    model: Model
    """The kind of problem, and sizes that all of its backbones share."""
    training: TrainingConfig
    """Everything between a model and its test metrics."""
    tuning: Tuning | None = None
    """The options that every balancer is tuned over, with equally many trials; default: none is tuned."""
    timing: Timing = Timing()
    """The timing of balancers against the baseline."""
    measure: tuple[Literal["cosines"], ...] = ()
    """What is measured in every training step, beside the numbers of a run, which stay the same. ``cosines``: how the
    joint gradient and the change of the parameters lie to each other, in shared parameters, in those of single tasks,
    and in a random half of the shared ones (section III of the PUB paper)."""
    keep: Annotated[tuple[Literal["model", "valid_predictions"], ...], Once] = ()
    """What is kept of every run, beside its record and its predictions for test rows. ``model``: the weights of the
    epoch that counts, and what turns raw rows into its inputs. ``valid_predictions``: the predictions for valid rows,
    which the table and the figure ``calibration`` need."""
    processes: Count = 1
    """Processes that train a run together, each on its part of every batch (data parallelism): on a core each, or on a
    CUDA device each. The numbers are those of one process, up to the rounding of sums; dropout draws others."""
    runs_per_job: Count = 1
    """Runs that one job of the workflow trains, one after another: seeds of one method, so at most as many as there are
    seeds. For small runs on a cluster, where the start of a job takes longer than they do."""
    tables: tuple[str, ...]
    """The tables that are made of it. Default: those of its kind of problem. A tuned experiment also has the table
    ``tuning``, with all trials."""
    figures: tuple[str, ...]
    """The figures that are made of it. Default: those of its kind of problem."""

    @model_validator(mode="before")
    @classmethod
    def _fill_in_what_the_kind_of_problem_decides(cls, block: Any) -> Any:
        if not isinstance(block, Mapping):
            return block
        model = block.get("model", {})
        name = model.get("problem", DEFAULT_PROBLEM) if isinstance(model, Mapping) else getattr(model, "problem", None)
        if name not in kinds():
            return block  # the field `model` says what is wrong
        chosen = kind(name)
        timed = block.get("seeds") == []
        tables, figures = (TIMED_TABLES, TIMED_FIGURES) if timed else (chosen.default_tables, chosen.default_figures)
        filled = {"model": {}, "tables": tables, "figures": figures} | dict(block)
        tables = filled["tables"]
        if filled.get("tuning") and isinstance(tables, list | tuple) and TUNING not in tables:
            filled["tables"] = (*tables, TUNING)
        if isinstance(filled.get("training"), Mapping):
            filled["training"] = dict(chosen.training) | dict(filled["training"])
        return filled

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> Self:
        refuse(of_training(self.model, self.training))
        if "valid_predictions" in self.keep and "valid" not in self.problem.splits:
            refuse([("keep", "this kind of problem has no valid split: leave out valid_predictions")])
        if self.tuning:
            refuse(self.tuning.faults(self._methods(), self.training))
        elif TUNING in self.tables:
            refuse([("tables", f"{TUNING!r} shows trials: it needs the block `tuning`, which is not here")])
        return self

    def trials(self) -> dict[str, Trial]:
        """What is run of each balancer, by the name of the variant: its trials, or the balancer itself if untuned."""
        return {
            variant: Trial(method, self.tuning.grid_of(method) if self.tuning else {})
            for method in self._methods()
            for variant in self.variants(method)
        }

    def variants(self, method: str) -> list[str]:
        """The trials of a balancer, by the names of the variants; the balancer itself if it is not tuned."""
        return self.tuning.variants(method) if self.tuning else [method]

    def trained(self) -> dict[str, list[str]]:
        """What is trained on each backbone: the trials of its balancers."""
        return {
            backbone: [variant for method in balancers for variant in self.variants(method)]
            for backbone, balancers in self.grid.items()
        }

    def _methods(self) -> list[str]:
        return list(dict.fromkeys(balancer for balancers in self.grid.values() for balancer in balancers))

    @property
    def problem(self) -> type[ProblemKind]:
        """The declaration of its kind of problem."""
        return kind(self.model.problem)
