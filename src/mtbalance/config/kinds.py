"""ProblemKind: the facts that each kind of problem declares once, and functions that look them up."""

from __future__ import annotations

from abc import ABC
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from mtbalance.blocks import Fault
from mtbalance.config.models import ModelSizes
from mtbalance.config.training import TrainingConfig
from mtbalance.registry import available, entry

PROBLEMS = "mtbalance.problems"
TIMED_TABLES, TIMED_FIGURES = ("cost",), ("speed",)
"""What can be made of an experiment that is only timed."""


class ProblemKind(ABC):
    """The declaration of a kind of problem: ``__init__.py`` of its folder in ``mtbalance.problems``, free of torch.

    How a run of that kind loads its data, makes its model and judges it is in ``problem.py`` of the same folder.
    """

    splits: ClassVar[tuple[str, ...]]
    """The splits of a prepared data set; each is a Parquet file of its name."""
    sizes: ClassVar[type[ModelSizes]]
    """The options under ``model`` of an experiment."""
    models: ClassVar[str]
    """The package of its backbones."""
    score: ClassVar[str | None] = None
    """The number of an evaluation that chooses the best epoch; None if no single one does."""
    training: ClassVar[Mapping[str, Any]] = {}
    """Options of ``training`` whose default differs from :class:`~mtbalance.config.training.TrainingConfig`'s."""
    images: ClassVar[bool] = False
    """True if inputs are images, which can be augmented and laid out channels last."""
    pictured: ClassVar[bool] = False
    """True if predictions can be drawn; ``mtbalance.reporting.pictures`` then has an entry of the kind's name."""
    tables: ClassVar[tuple[str, ...]]
    """The packages of its tables."""
    figures: ClassVar[tuple[str, ...]]
    """The packages of its figures."""
    default_tables: ClassVar[tuple[str, ...]]
    """The tables of an experiment that names none."""
    default_figures: ClassVar[tuple[str, ...]]
    """The figures of an experiment that names none."""

    @classmethod
    def score_of(cls, metrics: Collection[str]) -> str | None:
        """The number of an evaluation that chooses the best epoch, where tasks have these metrics."""
        return cls.score

    @classmethod
    def own_score_of(cls, metrics: Collection[str]) -> str | None:
        """That metric of a single task which goes into the score, where the task has these metrics."""
        return None

    @classmethod
    def shared_bytes(cls, folder: Path) -> int:
        """Bytes of files that runs will yet write beside a prepared data set, to share them. Default: none."""
        return 0

    @classmethod
    def faults(cls, training: TrainingConfig) -> Iterator[Fault]:
        """Options of ``training`` that make no sense for this kind."""
        if cls.score is None:
            for key, wanted in {"selection": "last", "patience": 0}.items():
                if getattr(training, key) != wanted:
                    yield f"training.{key}", f"this kind of problem has no single score: it must be {wanted}"
        if not cls.images:
            for key in ("augment", "channels_last"):
                if getattr(training, key):
                    yield f"training.{key}", "only images have this; leave it out"


@cache
def kind(name: str) -> type[ProblemKind]:
    """The kind of problem of that name. Raises ``UserError`` if there is none."""
    return entry(PROBLEMS, name, ProblemKind)


def kinds() -> list[str]:
    """Names of all kinds of problem."""
    return available(PROBLEMS)


def package_of(packages: tuple[str, ...], name: str) -> str | None:
    """The one of a kind's packages of tables or figures that has an entry of that name."""
    return next((package for package in packages if name in available(package)), None)


def names_in(packages: tuple[str, ...]) -> list[str]:
    """Names of all entries of a kind's packages of tables or figures."""
    return sorted(name for package in packages for name in available(package))
