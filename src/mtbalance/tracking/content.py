"""What MLflow shows of a run: names, tags, parameters, metrics and a description, all taken from its record.

A run that is still in training has the first part of a record, :class:`Begun`; so the same functions serve both.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from mtbalance import places
from mtbalance.canonical import canonical_json
from mtbalance.config.by_name import changes_of_try
from mtbalance.config.parameters import Tables
from mtbalance.config.variants import flat, parsed
from mtbalance.records.evaluation import ByTask, Evaluation, numbers_of
from mtbalance.records.parts import Part
from mtbalance.records.run import EpochRecord, RunRecord
from mtbalance.reporting.names import backbone_name, method_name

FINAL, DEVIATION = "final_test", "final_test_sd"
"""First parts of the names of test metrics, and of their standard deviations over seeds."""
MEAN, RUN, TRY = "mean", "run", "try"
"""Values of the tag ``kind``: a method's mean over seeds, a run of the workflow, a try by hand, which has no mean."""
REFUSED = re.compile(r"[^\w.\- :]|^\.+$")
"""Letters that names in MLflow cannot have, or, as ``/`` and points alone, that would be a path there."""
Number = tuple[str, float, int, int]
"""A metric: name, value, time (ms since 1970), step."""


class Begun(Part):
    """What the run record will say that is known when training begins, in fields of the same names."""

    config: dict[str, Any]
    digest: str
    code: str
    synthetic: bool
    sha256: dict[str, str]
    rows: dict[str, int]
    started: str | None
    evaluated: str
    changes: str | None = None
    """What a try by hand changed; None for a run of the workflow. The place of the record tells."""

    @classmethod
    def of(cls, record: RunRecord, path: Path) -> Begun:
        """The beginning of a run that has ended, whose record is in the file ``path``."""
        found = record.model_dump() | record.data.model_dump()
        found["changes"] = changes_of_try(path, record.run.model_dump())
        return cls.model_validate({name: found[name] for name in cls.model_fields})

    @property
    def experiment(self) -> str:
        """The name of its experiment in MLflow."""
        return f"{self.config['experiment']}/{self.config['dataset']}"

    @property
    def cell(self) -> str:
        """Stands for the configuration without the seed, the code and the data: seeds that may be averaged share it."""
        config = {key: value for key, value in self.config.items() if key != "seed"}
        whole = json.dumps([config, self.code, self.sha256], sort_keys=True)
        return hashlib.sha256(whole.encode()).hexdigest()[:12]

    @property
    def method(self) -> str:
        """The method as tables name it, next to the default baseline: ``MMOE (LS)``, ``MMOE+PUB``.

        A try is no run of that method: ``MMOE+PUB (try balancer.every=5)``.
        """
        names = {part: self.config[part]["name"] for part in ("backbone", "balancer")}
        options = {"manipulation": "none"} | self.config["balancer"]["options"]
        shares = backbone_name(names["backbone"]) != "STL"
        name = method_name(pd.Series(options | names | {"shares": shares}), Tables().baseline)
        return name if self.changes is None else f"{name} ({f'try {self.changes}'.strip()})"

    def paths(self) -> dict[str, str]:
        """The run's place in the grid, for the patterns of :mod:`mtbalance.places`."""
        config = self.config
        names = {key: config[key]["name"] for key in ("backbone", "balancer")}
        return {key: str(config[key]) for key in ("experiment", "dataset", "seed")} | names


def milliseconds(time: str | None) -> int | None:
    """Milliseconds since 1970 of a time in a record."""
    return None if time is None else round(datetime.fromisoformat(time).timestamp() * 1000)


def cell_tags(begun: Begun) -> dict[str, str]:
    """Tags that the runs of all seeds share with the row of their mean."""
    options = begun.config["balancer"]["options"]
    return {
        "method": begun.method,
        "backbone": begun.config["backbone"]["name"],
        "balancer": begun.config["balancer"]["name"],
        "level": options["level"],
        "rule": options["rule"],
        "mtbalance.cell": begun.cell,
        "mtbalance.synthetic": str(begun.synthetic),
    }


def tags(begun: Begun) -> dict[str, str]:
    """Tags of a run from its beginning on."""
    own = {"kind": RUN} if begun.changes is None else {"kind": TRY, "changes": begun.changes}
    own |= {
        "seed": str(begun.config["seed"]),
        "mtbalance.config": begun.digest,
        "mtbalance.code": begun.code,
        "mtbalance.data": begun.sha256["train"],
        "mlflow.note.content": _description(begun),
    }
    return cell_tags(begun) | own


def last_tags(record: RunRecord, path: Path) -> dict[str, str]:
    """Tags that only the whole record tells."""
    commit = record.environment.commit
    own = {"mtbalance.status": record.status, "mtbalance.record": str(path)}
    return own | ({"mlflow.source.git.commit": commit} if commit else {})


def parameters(begun: Begun) -> dict[str, str]:
    """Options that differ between the runs of an experiment: of backbone and balancer, and those a variant replaces.

    What an experiment sets for all of its runs is left to the record.
    """
    options = {part: begun.config[part]["options"] for part in ("backbone", "balancer")}
    replaced = parsed(begun.config["balancer"]["name"]).training
    found = {**dict(flat(options)), **{f"training.{key}": value for key, value in replaced.items()}}
    return {accepted(key): str(value) for key, value in (found | {"seed": begun.config["seed"]}).items()}


def epoch_numbers(begun: Begun, epochs: Iterable[EpochRecord]) -> Iterator[Number]:
    """Metrics of every epoch, with the epoch as step. Their time is that of training: interruptions do not count."""
    time = float(milliseconds(begun.started) or 0)
    for epoch in epochs:
        time += 1000 * sum(epoch.seconds.model_dump().values())
        values = {
            **_by_task("train/loss", epoch.train_loss),
            **_by_task("train/weight", epoch.weights),
            **{f"search/{name}": value for name, value in epoch.diagnostics.items()},
            **_evaluation(begun.evaluated, epoch.evaluation),
        }
        yield from ((name, value, round(time), epoch.epoch) for name, value in values.items())


def final_numbers(record: RunRecord) -> Iterator[Number]:
    """Metrics of the whole run at step 0, which MLflow draws as bars."""
    final = {"cost/peak_memory_mb": record.peak_memory_mb}
    final |= {f"cost/{name}": value for name, value in record.speed.model_dump().items() if value is not None}
    final["cost/best_epoch"] = record.best_epoch
    final |= _evaluation(FINAL, record.test) if record.test else {}
    time = milliseconds(record.ended) or 0
    yield from ((name, value, time, 0) for name, value in final.items())


def artifacts(begun: Begun, path: Path) -> list[Path]:
    """The record, and the picture of the run's predictions where it has been drawn."""
    picture = Path(places.PICTURE.format(**begun.paths()))
    return [path, *([picture] if begun.changes is None and picture.is_file() else [])]


def _description(begun: Begun) -> str:
    """The command that repeats the run, in Markdown."""
    config = canonical_json(begun.config)
    place = places.PREPARED.format(dataset=begun.config["dataset"])
    words = ["mtbalance", "train", "--config", config, "--data", place, "--output", "again.json"]
    return f"Repeat this run:\n\n```shell\n{shlex.join(words)}\n```"


def _evaluation(split: str, evaluation: Evaluation) -> dict[str, float]:
    return {
        "/".join(filter(None, (split, metric, accepted(task)))): value for metric, task, value in numbers_of(evaluation)
    }


def _by_task(prefix: str, values: ByTask) -> dict[str, float]:
    return {f"{prefix}/{accepted(task)}": value for task, value in values.items()}


def accepted(task: str) -> str:
    """A task's name or a key as MLflow takes it: what it refuses is ``_`` and a code, as in ``spend _3E 5``."""
    return REFUSED.sub(lambda found: "".join(f"_{ord(letter):02X}" for letter in found[0]), task)
