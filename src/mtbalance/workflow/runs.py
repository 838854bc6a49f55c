"""RunFiles: the records, predictions and timings of the experiments."""

from __future__ import annotations

from collections.abc import Iterable

from mtbalance import places, sources
from mtbalance.config.run import RunConfig, canonical
from mtbalance.workflow.code import closure_of
from mtbalance.workflow.data import DataFiles


class RunFiles(DataFiles):
    """What training and timing write, and what it is made from."""

    def run_sources(self, run: RunConfig) -> list[str]:
        """Source files that one run depends on."""
        return sources.relative(sources.of_run(run))

    def records(self, experiment: str) -> list[str]:
        """Records of all runs of an experiment."""
        return [places.RECORD.format(**run.wildcards) for run in self.parameters.runs(experiment)]

    def predictions(self, experiment: str) -> list[str]:
        """Test predictions of all runs of an experiment."""
        return [places.PREDICTIONS.format(**run.wildcards) for run in self.parameters.runs(experiment)]

    def steps(self, experiment: str) -> list[str]:
        """Steps files of all runs of an experiment; none if it does not measure."""
        if not self.parameters.experiments[experiment].measure:
            return []
        return [places.STEPS.format(**run.wildcards) for run in self.parameters.runs(experiment)]

    def measured(self) -> list[str]:
        """The experiments that measure every step."""
        return [name for name, experiment in self.parameters.experiments.items() if experiment.measure]

    def unmeasured(self) -> list[str]:
        """The other experiments."""
        return [name for name in self.parameters.experiments if name not in self.measured()]

    def timings(self, experiment: str) -> list[str]:
        """Timings of an experiment, one for each data set and backbone."""
        return [
            places.TIMING.format(experiment=experiment, dataset=dataset, backbone=backbone)
            for dataset, backbone in self.parameters.timed(experiment)
        ]

    def references(self, experiment: str) -> list[str]:
        """The references of an experiment's data sets; none if nothing is trained, and for scenes."""
        chosen = self.parameters.experiments[experiment]
        if not chosen.seeds or chosen.model.problem != "ranking":
            return []
        return [places.REFERENCES.format(dataset=dataset) for dataset in chosen.datasets]

    def reference_sources(self) -> list[str]:
        """Source files that references depend on."""
        return closure_of("studies.references")

    def timing_config(self, runs: Iterable[RunConfig]) -> str:
        """The configurations of the runs that are timed in turn, as JSON."""
        return "[" + ",".join(map(canonical, runs)) + "]"

    def timing_options(self, experiment: str) -> str:
        """Length of a timing, as options of ``mtbalance time``."""
        timing = self.parameters.experiments[experiment].timing
        return f"--blocks {timing.blocks} --steps {timing.steps}"

    def timing_sources(self, runs: Iterable[RunConfig]) -> list[str]:
        """Source files that a timing depends on."""
        files = {*closure_of("training.speed"), *(file for run in runs for file in self.run_sources(run))}
        return sorted(files)
