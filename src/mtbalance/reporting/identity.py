"""Identity: the columns of the collected table that say which run a number belongs to."""

from __future__ import annotations

from typing import Any

from mtbalance.config.run import RunConfig
from mtbalance.config.training import TrainingConfig
from mtbalance.records.run import ModelSize, RunRecord
from mtbalance.records.timing import TimingRecord
from mtbalance.reporting import convergence


def identity_of(record: RunRecord) -> dict[str, Any]:
    """The columns that say which run a number belongs to."""
    identity = columns_of(RunConfig.model_validate(record.config), record.data.synthetic, record.model)
    found = {"device": device_of(record), "status": record.status, convergence.COLUMN: len(record.unconverged)}
    return identity | found


def columns_of(config: RunConfig, synthetic: bool, model: ModelSize) -> dict[str, Any]:
    """The columns that the configuration decides, the data and the model."""
    balancer = config.balancer.options
    return {
        **config.wildcards,
        "level": balancer.level,
        "rule": balancer.rule,
        "manipulation": getattr(balancer, "manipulation", "none"),
        "problem": config.model.problem,
        "synthetic": synthetic,
        "digest": config.digest(),
        "shares": model.shared > 0,
        "selection": _selection(config.training),
    }


def device_of(record: RunRecord | TimingRecord) -> str:
    """The device and its threads, as text."""
    return f"{record.environment.device}, {record.environment.threads} thread(s)"


def _selection(training: TrainingConfig) -> str:
    """The way in which the epochs that count were found: ``valid``, ``test`` or ``last 10``."""
    return f"last {training.last_epochs}" if training.selection == "last" else training.selection
