"""One run: everything that decides its numbers, besides the data and the code."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator

from mtbalance.combinations import of_problem, of_training, refuse
from mtbalance.config.balancers import Balancer
from mtbalance.config.blocks import Strict
from mtbalance.config.models import Backbone, Model
from mtbalance.config.training import TrainingConfig


class NamedBlock(Strict):
    """A block with the name it has in ``params.yaml``."""

    name: str


class BackboneChoice(NamedBlock):
    """A backbone, by its name in ``params.yaml``."""

    options: Backbone


class BalancerChoice(NamedBlock):
    """A balancer, by its name in ``params.yaml``."""

    options: Balancer


class RunConfig(Strict):
    """One run: everything that decides its numbers, besides the data and the code."""

    experiment: str
    dataset: str
    backbone: BackboneChoice
    balancer: BalancerChoice
    model: Model
    training: TrainingConfig
    seed: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _refuse_what_makes_no_sense(self) -> Self:
        faults = of_training(self.balancer.options, self.training)
        balancer = ((f"balancer.options.{key}", reason) for key, reason in faults)
        refuse([*of_problem(self.model, self.training), *balancer])
        return self

    @property
    def cell(self) -> str:
        """Where the run stands in the grid, as a path."""
        return f"{self.experiment}/{self.dataset}/{self.backbone.name}/{self.balancer.name}/seed-{self.seed}"

    def digest(self) -> str:
        """First 12 hexadecimal digits of the SHA-256 of the canonical JSON."""
        return hashlib.sha256(canonical(self).encode()).hexdigest()[:12]


def canonical(config: BaseModel) -> str:
    """Canonical JSON of ``config``: defaults filled in, keys sorted, no spaces."""
    return json.dumps(config.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
