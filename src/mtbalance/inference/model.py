"""open_model: a kept ranking model, ready to predict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from mtbalance.config.run import RunConfig
from mtbalance.data.ranking.schema import RankingSchema
from mtbalance.errors import UserError
from mtbalance.models.backbone import Backbone
from mtbalance.models.kept import read_model
from mtbalance.problems import open_problem
from mtbalance.problems.ranking.problem import RankingProblem
from mtbalance.records.evaluation import predicted_name


@dataclass
class Model:
    """A trained backbone in evaluation mode, with what turns its outputs into predictions."""

    problem: RankingProblem
    backbone: Backbone

    @property
    def config(self) -> RunConfig:
        """The configuration that it was trained with."""
        return self.problem.config

    @property
    def schema(self) -> RankingSchema:
        """The schema of the data that it was trained on."""
        return self.problem.schema

    @property
    def columns(self) -> list[str]:
        """The names of what it predicts, in the order of the tasks, as in the files that runs keep."""
        return [predicted_name(task.name) for task in self.problem.tasks]

    def __call__(self, ids: Tensor, numbers: Tensor) -> Sequence[Tensor]:
        """Predictions [B] of each task in float32: probabilities, or numbers in the units of the label.

        They are made from ids [B, F] and numbers [B, N].
        """
        return self.problem.answers(self.backbone((ids, numbers)))


def open_model(path: Path) -> Model:
    """The model of a ``.safetensors`` file and of the schema beside it.

    It computes in float32 on the CPU, whatever it was trained with, and no gradients. Raises
    :class:`~mtbalance.errors.UserError` for files that are none, and for a kind of problem without raw rows.
    """
    kept = read_model(path)
    problem = open_problem(kept.config, kept.schema)
    if not isinstance(problem, RankingProblem):
        raise UserError(f"{path}: models of the kind {kept.config.model.problem!r} do not read rows of a table")
    backbone = problem.model()
    backbone.load_state_dict(kept.weights)
    return Model(problem, backbone.eval().requires_grad_(False))
