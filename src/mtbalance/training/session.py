"""Session: one run while it is trained, with its data, model, balancer, generator and finished epochs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from mtbalance.balancing.levels import Level
from mtbalance.balancing.reach import Reach, find_reach
from mtbalance.config.run import RunConfig
from mtbalance.models.backbone import Backbone
from mtbalance.problems import Problem
from mtbalance.records.evaluation import Evaluation, number_in
from mtbalance.tasks import Task
from mtbalance.training.epoch_pass import Pass
from mtbalance.training.history import History
from mtbalance.training.seeding import random_state, restore_random_state
from mtbalance.training.step import as_inputs
from mtbalance.training.steps import StepLog
from mtbalance.training.stopping import Stopping


@dataclass
class Session:
    """Everything that training one run reads and changes."""

    problem: Problem[Any]
    model: Backbone
    level: Level
    order: np.random.Generator
    """Draws the order of the training rows."""
    device: torch.device
    history: History = field(default_factory=History)
    passed: Pass | None = None
    """The pass over the training rows that is under way; None between two."""
    log: StepLog | None = None
    """Gathers gradient and update of every step, if the run measures them."""
    stopping: Stopping = field(default_factory=Stopping)

    @property
    def config(self) -> RunConfig:
        """The run's configuration."""
        return self.problem.config

    def reach(self) -> Reach:
        """The parameters by the tasks whose outputs depend on them, as the graph of one row shows it.

        One task shares nothing: all parameters are its own.
        """
        batch = next(self.problem.split("test").batches(1, None)).to(self.device)
        inputs = as_inputs(batch.inputs, self.config.training)
        self.model.eval()
        found = find_reach([output.sum() for output in self.model(inputs)], list(self.model.parameters()))
        return found if len(self.problem.tasks) > 1 else Reach(own=[found.shared])

    def models(self) -> dict[str, nn.Module]:
        """What has a best epoch of its own: each task's model by its name if nothing is shared, else the whole.

        It is the whole, too, for a kind of problem that has no score of single tasks.
        """
        own = {task.name: self.model.own(number) for number, task in enumerate(self.problem.tasks)}
        separate = {name: model for name, model in own.items() if model is not None}
        judged = all(self._own_score(task) for task in self.problem.tasks)
        return separate if judged and len(separate) == len(own) else {"": self.model}

    def scores(self, evaluation: Evaluation) -> dict[str, float]:
        """The scores by which the best epochs of :meth:`models` are chosen; empty if no single number does."""
        score = self.problem.score
        if score is None:
            return {}
        if "" in self.models():
            return {"": number_in(evaluation, score)}
        tasks = self.problem.tasks
        return {task.name: number_in(evaluation, str(self._own_score(task)), task.name) for task in tasks}

    def _own_score(self, task: Task) -> str | None:
        return self.problem.kind.own_score_of(task.metrics)

    def state_dict(self) -> dict[str, Any]:
        """All that the rest of the run depends on, in plain containers."""
        return {
            "history": self.history.state_dict(),
            "model": self.model.state_dict(),
            "level": self.level.state_dict(),
            "random": random_state(self.order, self.device),
            "passed": self.passed and self.passed.state_dict(),
            "log": self.log and self.log.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        self.model.load_state_dict(state["model"])
        self.level.load_state_dict(state["level"])
        restore_random_state(state["random"], self.order, self.device)
        self.history = History.from_state(state["history"])
        self.passed = state["passed"] and Pass.from_state(state["passed"])
        if self.log:
            self.log.load_state_dict(state["log"])
