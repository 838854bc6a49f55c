"""RunConfig: everything that decides the numbers of one run, besides the data and the code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, SerializeAsAny, model_validator

from mtbalance.balancing.checking import AnyBalancer
from mtbalance.blocks import Block, Seed, refuse
from mtbalance.canonical import canonical_json, checksum_of
from mtbalance.config.contradictions import of_balancer_with_training, of_training
from mtbalance.config.kinds import kind, kinds
from mtbalance.config.models import AnyBackbone, ModelSizes
from mtbalance.config.names import Name
from mtbalance.config.training import TrainingConfig
from mtbalance.config.variants import Method
from mtbalance.registry import unknown

DEFAULT_PROBLEM = "ranking"


def _sizes(block: Any) -> ModelSizes:
    if isinstance(block, ModelSizes):
        return block
    name = block.get("problem", DEFAULT_PROBLEM) if isinstance(block, Mapping) else block
    if name not in kinds():
        refuse([("problem", unknown("kind of problem", str(name), kinds()))])
    return kind(name).sizes.model_validate({"problem": name} | dict(block))


Model = Annotated[SerializeAsAny[ModelSizes], BeforeValidator(_sizes)]
"""An experiment's kind of problem (``problem``, by default ranking), and the sizes of its models."""


class BackboneChoice(Block):
    """A backbone, with its name in ``params.yaml``."""

    name: Name
    options: AnyBackbone


class BalancerChoice(Block):
    """A balancer, with its name in ``params.yaml``, or that of a variant."""

    name: Method
    options: AnyBalancer


class RunConfig(Block):
    """One run: everything that decides its numbers, besides the data and the code."""

    experiment: Name
    dataset: Name
    backbone: BackboneChoice
    balancer: BalancerChoice
    model: Model
    training: TrainingConfig
    seed: Seed

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> Self:
        faults = of_balancer_with_training(self.balancer.options, self.training)
        balancer = ((f"balancer.options.{key}", reason) for key, reason in faults)
        refuse([*of_training(self.model, self.training), *balancer])
        return self

    @property
    def wildcards(self) -> dict[str, str]:
        """The run's place in the grid, by the names that the patterns of :mod:`mtbalance.places` have."""
        return {
            "experiment": self.experiment,
            "dataset": self.dataset,
            "backbone": self.backbone.name,
            "balancer": self.balancer.name,
            "seed": str(self.seed),
        }

    def digest(self) -> str:
        """First 12 hexadecimal digits of the SHA-256 of the canonical JSON."""
        return checksum_of(self.model_dump(mode="json"))[:12]


def canonical(config: BaseModel) -> str:
    """Canonical JSON of ``config``: defaults filled in, keys sorted, no spaces."""
    return canonical_json(config.model_dump(mode="json"))
