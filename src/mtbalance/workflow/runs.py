"""RunFiles: the records, predictions and timings of the experiments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import NamedTuple

from mtbalance import places, sources
from mtbalance.config.experiments import Experiment
from mtbalance.config.parameters import Parameters
from mtbalance.config.run import RunConfig, canonical
from mtbalance.workflow.code import closure_of
from mtbalance.workflow.data import DataFiles, alternatives


class TrainingRule(NamedTuple):
    """A rule of the workflow that trains the runs of some experiments."""

    files: dict[str, str]
    """What it writes beside records, samples and test predictions, as patterns: by the options of ``mtbalance train``,
    but for the schema, which lies beside the model.
    """
    experiments: str
    """Regular expression that matches these experiments."""

    @property
    def options(self) -> list[str]:
        """The options of ``mtbalance train`` that ask for its files."""
        return [f"--{name.replace('_', '-')}={file}" for name, file in self.files.items() if name != "schema"]

    def outputs(self) -> dict[str, str]:
        """All files that a job writes, as patterns."""
        return {**self.files, "record": places.RECORD, "sample": places.SAMPLE, "predictions": places.PREDICTIONS}


class Bundle(NamedTuple):
    """A rule of the workflow that trains several seeds of a method in one job."""

    rule: TrainingRule
    seeds: tuple[int, ...]
    processes: int
    """Processes that train a run together."""

    @property
    def experiments(self) -> str:
        """Regular expression that matches its experiment."""
        return self.rule.experiments

    def outputs(self) -> dict[str, list[str]]:
        """The files that a job writes, as patterns: one for each of the seeds."""
        patterns = self.rule.outputs().items()
        return {name: [file.replace("{seed}", str(seed)) for seed in self.seeds] for name, file in patterns}

    def runs(self, run: RunConfig) -> list[str]:
        """The runs that a job trains, as ``mtbalance train-several`` takes them; ``run`` is one of them."""
        return [json.dumps(self._words(run.model_copy(update={"seed": seed}))) for seed in self.seeds]

    def _words(self, run: RunConfig) -> list[str]:
        """The log of a run, and the options of its ``mtbalance train``."""
        cell = run.wildcards
        patterns = {
            "data": places.PREPARED,
            "checkpoint": places.CHECKPOINT,
            "output": places.RECORD,
            "sample": places.SAMPLE,
            "predictions": places.PREDICTIONS,
        }
        named = {"config": canonical(run), "processes": str(self.processes)}
        named |= {name: pattern.format(**cell) for name, pattern in patterns.items()}
        options = [word for name, value in named.items() for word in (f"--{name}", value)]
        further = [option.format(**cell) for option in self.rule.options]
        return [places.log("train", places.CELL).format(**cell), *options, *further]


def _rule_of(experiment: Experiment) -> str:
    """The name of the rule that trains the runs of an experiment."""
    return "_".join(["train", *(["measured"] if experiment.measure else []), *sorted(experiment.keep)])


def _files(experiment: Experiment) -> dict[str, str]:
    """The files that only some experiments have."""
    return {
        **({"steps": places.STEPS} if experiment.measure else {}),
        **({"model": places.MODEL, "schema": places.MODEL_SCHEMA} if "model" in experiment.keep else {}),
        **({"valid_predictions": places.VALID_PREDICTIONS} if "valid_predictions" in experiment.keep else {}),
    }


class RunFiles(DataFiles):
    """What training and timing write, and what it is made from."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._sources: dict[tuple[str, ...], list[str]] = {}

    def run_sources(self, run: RunConfig) -> list[str]:
        """Source files that one run depends on. They are looked for once for all runs with the same modules."""
        modules = sources.modules_of(run)
        if modules not in self._sources:
            self._sources[modules] = closure_of(*modules)
        return self._sources[modules]

    def processes(self, experiment: str) -> int:
        """Processes that train a run of an experiment together."""
        return self.parameters.experiments[experiment].processes

    def records(self, experiment: str) -> list[str]:
        """Records of all runs of an experiment."""
        return self.of_runs(experiment, places.RECORD)

    def of_runs(self, experiment: str, *patterns: str) -> list[str]:
        """Files of all runs of an experiment."""
        return [pattern.format(**run.wildcards) for run in self.parameters.runs(experiment) for pattern in patterns]

    def schemas(self, experiment: str) -> list[str]:
        """The schemas of an experiment's prepared data."""
        datasets = self.parameters.experiments[experiment].datasets
        return [f"{self.prepared_folder(name)}/{places.SCHEMA}" for name in datasets]

    def predictions(self, experiment: str) -> list[str]:
        """Test predictions of all runs of an experiment."""
        return self.of_runs(experiment, places.PREDICTIONS)

    def steps(self, experiment: str) -> list[str]:
        """Steps files of all runs of an experiment; none if it does not measure."""
        return self.of_runs(experiment, places.STEPS) if self.parameters.experiments[experiment].measure else []

    def models(self, experiment: str) -> list[str]:
        """Weights and schemas of all runs of an experiment; none if it does not keep models."""
        return self._kept(experiment, "model", places.MODEL, places.MODEL_SCHEMA)

    def valid_predictions(self, experiment: str) -> list[str]:
        """Predictions for the valid rows of all runs of an experiment; none if it does not keep them."""
        return self._kept(experiment, "valid_predictions", places.VALID_PREDICTIONS)

    def _kept(self, experiment: str, what: str, *patterns: str) -> list[str]:
        return self.of_runs(experiment, *patterns) if what in self.parameters.experiments[experiment].keep else []

    def trainings(self) -> dict[str, TrainingRule]:
        """The rules that train, by their names: one for each set of files that the runs of an experiment write."""
        found: dict[str, list[str]] = {"train": []}
        for name, experiment in self.parameters.experiments.items():
            if experiment.runs_per_job == 1:
                found.setdefault(_rule_of(experiment), []).append(name)
        return {
            rule: TrainingRule(_files(self.parameters.experiments[names[0]]) if names else {}, alternatives(names))
            for rule, names in found.items()
        }

    def bundles(self) -> dict[str, Bundle]:
        """The rules that train several runs in a job, by their names: one for each part of an experiment's seeds."""
        found = {}
        for name, experiment in self.parameters.experiments.items():
            rule, size = TrainingRule(_files(experiment), alternatives([name])), experiment.runs_per_job
            for first in range(0, len(experiment.seeds) if size > 1 else 0, size):
                seeds = tuple(experiment.seeds[first : first + size])
                key = re.sub(r"\W", "_", f"{_rule_of(experiment)}_{name}_from_{seeds[0]}")
                found[key] = Bundle(rule, seeds, experiment.processes)
        return found

    def timings(self, experiment: str) -> list[str]:
        """Timings of an experiment, one for each data set and backbone."""
        return [
            places.TIMING.format(experiment=experiment, dataset=dataset, backbone=backbone)
            for dataset, backbone in self.parameters.timed(experiment)
        ]

    def references(self, experiment: str) -> list[str]:
        """The references of an experiment's data sets; none if nothing is trained, and for scenes."""
        return self._of_references(experiment, places.REFERENCES)

    def reference_predictions(self, experiment: str) -> list[str]:
        """What the references of an experiment's data sets predict, in their order."""
        return self._of_references(experiment, places.REFERENCE_PREDICTIONS)

    def _of_references(self, experiment: str, pattern: str) -> list[str]:
        chosen = self.parameters.experiments[experiment]
        if not chosen.seeds or chosen.model.problem != "ranking":
            return []
        return [pattern.format(dataset=dataset) for dataset in chosen.datasets]

    def reference_sources(self) -> list[str]:
        """Source files that references depend on."""
        return closure_of("studies.references")

    def timing_config(self, runs: Iterable[RunConfig]) -> str:
        """The configurations of the runs that are timed in turn, as JSON."""
        return "[" + ",".join(map(canonical, runs)) + "]"

    def timing_options(self, experiment: str) -> list[str]:
        """Length of a timing, as options of ``mtbalance time``."""
        timing = self.parameters.experiments[experiment].timing
        return [f"--blocks={timing.blocks}", f"--steps={timing.steps}"]

    def timing_sources(self, runs: Iterable[RunConfig]) -> list[str]:
        """Source files that a timing depends on."""
        files = {*closure_of("training.speed"), *(file for run in runs for file in self.run_sources(run))}
        return sorted(files)
