"""Experiment: data sets, a grid of backbones and balancers, and seeds. Its tables and figures show its runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from mtbalance.blocks import Block, Count, Seed, refuse
from mtbalance.config.contradictions import of_training
from mtbalance.config.kinds import TIMED_FIGURES, TIMED_TABLES, ProblemKind, kind, kinds
from mtbalance.config.run import DEFAULT_PROBLEM, Model
from mtbalance.config.training import TrainingConfig


def _once(values: list[Any]) -> list[Any]:
    twice = sorted({str(value) for value in values if values.count(value) > 1})
    refuse([("", f"{', '.join(twice)}: named more than once")] if twice else [])
    return values


Names = Annotated[list[str], Field(min_length=1), AfterValidator(_once)]


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
    seeds: Annotated[list[Seed], AfterValidator(_once)]
    """One run each. A seed changes the initialization and the order of the data. Without a seed nothing is trained: the
    balancers are only timed."""
    model: Model
    """The kind of problem, and sizes that all of its backbones share."""
    training: TrainingConfig
    """Everything between a model and its test metrics."""
    timing: Timing = Timing()
    """The timing of balancers against the baseline."""
    measure: tuple[Literal["cosines"], ...] = ()
    """What is measured in every training step, beside the numbers of a run, which stay the same. ``cosines``: how the
    joint gradient and the change of the parameters lie to each other, in shared parameters, in those of single tasks,
    and in a random half of the shared ones (section III of the PUB paper)."""
    tables: tuple[str, ...]
    """The tables that are made of it. Default: those of its kind of problem."""
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
        if isinstance(filled.get("training"), Mapping):
            filled["training"] = dict(chosen.training) | dict(filled["training"])
        return filled

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> Self:
        refuse(of_training(self.model, self.training))
        return self

    @property
    def problem(self) -> type[ProblemKind]:
        """The declaration of its kind of problem."""
        return kind(self.model.problem)
