"""The typed configuration: what every key of ``params.yaml`` means, and what is refused.

A run never reads ``params.yaml``: it receives its own part, with every default filled in, as one canonical JSON
string (:class:`RunConfig`, :func:`canonical`). That string is the run's identity: its digest names the run in
records, in MLflow and in Snakemake's provenance.
"""

from __future__ import annotations

from mtbalance.config.balancers import (
    Balancer,
    balancer_config,
    rule_options,
    task_faults,
)
from mtbalance.config.blocks import (
    Count,
    Fraction,
    Strict,
    UnknownKeys,
)
from mtbalance.config.datasets import (
    AliExpressData,
    Dataset,
    HashSplit,
    NyuV2Data,
    RawFile,
    SyntheticData,
    SyntheticScenesData,
    TableData,
)
from mtbalance.config.models import (
    Backbone,
    Model,
    ModelConfig,
    SceneModelConfig,
)
from mtbalance.config.run import (
    BackboneChoice,
    BalancerChoice,
    RunConfig,
    canonical,
)
from mtbalance.config.training import (
    OptimizerConfig,
    ScheduleConfig,
    TrainingConfig,
)

__all__ = [
    "AliExpressData",
    "Backbone",
    "BackboneChoice",
    "Balancer",
    "BalancerChoice",
    "Count",
    "Dataset",
    "Fraction",
    "HashSplit",
    "Model",
    "ModelConfig",
    "NyuV2Data",
    "OptimizerConfig",
    "RawFile",
    "RunConfig",
    "SceneModelConfig",
    "ScheduleConfig",
    "Strict",
    "SyntheticData",
    "SyntheticScenesData",
    "TableData",
    "TrainingConfig",
    "UnknownKeys",
    "balancer_config",
    "canonical",
    "rule_options",
    "task_faults",
]
