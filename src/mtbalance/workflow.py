"""Workflow: the files of a project, their inputs, and the options of each job, as Snakemake's rules ask for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from shlex import quote
from typing import NamedTuple

from mtbalance import places, sources
from mtbalance.config.datasets import Dataset, RawFile
from mtbalance.config.kinds import kind, package_of
from mtbalance.config.parameters import Parameters
from mtbalance.config.run import RunConfig, canonical
from mtbalance.studies.toy_methods import METHODS as TOY_METHODS

TABLE_FORMATS = ("csv", "md", "tex")
FIGURE_FORMATS = ("png", "pdf")


def alternatives(names: Iterable[str]) -> str:
    """Regular expression that matches exactly the given names; for an empty list it matches nothing."""
    return "|".join(map(re.escape, names)) or "(?!)"


class Workflow:
    """The files of a project and what they depend on, as ``params.yaml`` says."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    # --- Data sets.

    def dataset(self, name: str) -> Dataset:
        """A data set's block."""
        return self.parameters.datasets[name]

    def raw_files(self) -> dict[str, RawFile]:
        """The raw files that are fetched or placed by hand, by path."""
        return {file.path: file for _, file in self._raw_files()}

    def _raw_files(self) -> Iterator[tuple[str, RawFile]]:
        for name, dataset in self.parameters.datasets.items():
            yield from ((name, file) for file in dataset.raw_files())

    def addresses(self, path: str) -> str:
        """A raw file's addresses, checksum, size and data set, as options of ``mtbalance fetch``."""
        name, file = next((name, file) for name, file in self._raw_files() if file.path == path)
        facts = {"sha256": file.sha256, "bytes": file.bytes, "dataset": name}
        options = [*(("url", url) for url in file.urls), *facts.items()]
        return " ".join(f"--{key} {quote(str(value))}" for key, value in options if value is not None)

    def raw(self, name: str) -> list[str]:
        """Raw files that a data set is prepared from.

        The list is empty if they are not there and cannot be fetched; `prepare` then says which files to place.
        """
        dataset = self.dataset(name)
        if dataset.generated:
            return [f"{self.raw_folder(name)}/{file}" for file in dataset.generated]
        return [file.path for file in dataset.needed()]

    def raw_folder(self, name: str) -> str:
        """The folder of a stand-in data set's raw files."""
        return places.RAW.format(dataset=name)

    def prepared_folder(self, name: str) -> str:
        """The folder of a prepared data set."""
        return places.PREPARED.format(dataset=name)

    def prepared(self, name: str) -> list[str]:
        """Files of a prepared data set."""
        return [file.format(dataset=name) for file in places.prepared(kind(self.dataset(name).problem).splits)]

    def dataset_config(self, name: str) -> str:
        """A data set's block of ``params.yaml``, as canonical JSON."""
        return canonical(self.dataset(name))

    def generator_config(self, name: str) -> str:
        """The options that a stand-in data set's raw files depend on, as JSON: all but the split."""
        return self.dataset(name).model_dump_json(exclude={"split"})

    def adapter_sources(self, name: str) -> list[str]:
        """Source files that a data set's preparation depends on."""
        return _closure(f"data.adapters.{self.dataset(name).adapter}")

    def generators(self) -> dict[str, DataRule]:
        """A rule for each adapter that generates raw files: the files, and its data sets."""
        found = {dataset.adapter: dataset.generated for dataset in self.parameters.datasets.values()}
        return {
            adapter: DataRule([f"{places.RAW}/{file}" for file in files], alternatives(self._datasets(adapter=adapter)))
            for adapter, files in found.items()
            if files
        }

    def preparations(self) -> dict[str, DataRule]:
        """A rule for each kind of problem that has data sets: the files that it prepares, and its data sets."""
        return {
            problem: DataRule(places.prepared(kind(problem).splits), alternatives(self._datasets(problem=problem)))
            for problem in {dataset.problem: None for dataset in self.parameters.datasets.values()}
        }

    def _datasets(self, **facts: str) -> list[str]:
        datasets = self.parameters.datasets.items()
        return [name for name, found in datasets if all(getattr(found, key) == fact for key, fact in facts.items())]

    # --- Runs and timings.

    def run_sources(self, run: RunConfig) -> list[str]:
        """Source files that one run depends on."""
        return sources.relative(sources.of_run(run))

    def records(self, experiment: str) -> list[str]:
        """Records of all runs of an experiment."""
        return [places.RECORD.format(**run.wildcards) for run in self.parameters.runs(experiment)]

    def timings(self, experiment: str) -> list[str]:
        """Timings of an experiment, one for each data set and backbone."""
        return [
            places.TIMING.format(experiment=experiment, dataset=dataset, backbone=backbone)
            for dataset, backbone in self.parameters.timed(experiment)
        ]

    def timing_config(self, runs: Iterable[RunConfig]) -> str:
        """The configurations of the runs that are timed in turn, as JSON."""
        return "[" + ",".join(map(canonical, runs)) + "]"

    def timing_options(self, experiment: str) -> str:
        """Length of a timing, as options of ``mtbalance time``."""
        timing = self.parameters.experiments[experiment].timing
        return f"--blocks {timing.blocks} --steps {timing.steps}"

    def timing_sources(self, runs: Iterable[RunConfig]) -> list[str]:
        """Source files that a timing depends on."""
        files = {*_closure("training.speed"), *(file for run in runs for file in self.run_sources(run))}
        return sorted(files)

    # --- Results.

    def tables(self, experiment: str) -> list[str]:
        """Files of an experiment's tables."""
        names = self.parameters.experiments[experiment].tables
        stems = [places.TABLE.format(experiment=experiment, table=name) for name in names]
        return [f"{stem}.{ending}" for stem in stems for ending in TABLE_FORMATS]

    def figures(self, experiment: str) -> list[str]:
        """Files of an experiment's figures."""
        names = self.parameters.experiments[experiment].figures
        stems = [places.FIGURE.format(experiment=experiment, figure=name) for name in names]
        return [f"{stem}.{ending}" for stem in stems for ending in FIGURE_FORMATS]

    def pictures(self, experiment: str) -> list[str]:
        """Pictures of the predictions of every run; none if this kind of problem has no pictures."""
        if not self.parameters.experiments[experiment].problem.pictured:
            return []
        return [places.PICTURE.format(**run.wildcards) for run in self.parameters.runs(experiment)]

    def pictured(self) -> list[str]:
        """The experiments whose predictions are drawn as pictures."""
        return [name for name, experiment in self.parameters.experiments.items() if experiment.problem.pictured]

    def results(self) -> list[str]:
        """All files that the chosen preset makes.

        Records, timings and metrics are listed although the tables depend on them: Snakemake recreates a lost
        intermediate file only if a target asks for it.
        """
        active = self.parameters.active()
        asked = (self.records, self.timings, self.metrics, self.tables, self.figures, self.pictures)
        files = [file for experiment in active for of in asked for file in of(experiment)]
        return [*files, places.SUMMARY.format(preset=self.parameters.preset), places.AUDIT]

    def data(self) -> list[str]:
        """The prepared data sets of the chosen preset."""
        datasets = {name for experiment in self.parameters.active().values() for name in experiment.datasets}
        return [file for name in sorted(datasets) for file in self.prepared(name)]

    def metrics(self, experiment: str) -> list[str]:
        """The collected metrics of an experiment."""
        return [places.METRICS.format(experiment=experiment)]

    def metrics_of_preset(self, preset: str) -> list[str]:
        """The collected metrics of all experiments of a preset."""
        return [file for experiment in self.parameters.presets[preset] for file in self.metrics(experiment)]

    def experiment_params(self, experiment: str) -> str:
        """The parameters that an experiment's results depend on, as canonical JSON."""
        return canonical(self.parameters.excerpt(experiment))

    def table_options(self, experiment: str) -> str:
        """Title and baseline of an experiment's tables and figures, as options of ``mtbalance table``."""
        title = self.parameters.experiments[experiment].title
        return f"--title {quote(title)} --baseline {self.parameters.tables.baseline}"

    def table_sources(self, experiment: str, table: str) -> list[str]:
        """Source files that a table depends on, and the printed numbers that it sets beside ours."""
        package = package_of(self.parameters.experiments[experiment].problem.tables, table)
        return [*_closure("reporting.tables", f"{package}.{table}"), *printed_numbers()]

    def figure_sources(self, experiment: str, figure: str) -> list[str]:
        """Source files that a figure depends on, and the printed numbers if it draws any."""
        package = package_of(self.parameters.experiments[experiment].problem.figures, figure)
        files = _closure("reporting.figures", f"{package}.{figure}")
        return [*files, *printed_numbers()] if set(_closure("reporting.printed")) <= set(files) else files

    def picture_sources(self, experiment: str) -> list[str]:
        """Source files that a picture of predictions depends on."""
        problem = self.parameters.experiments[experiment].model.problem
        return _closure("reporting.pictures", f"reporting.pictures.{problem}")


class DataRule(NamedTuple):
    """A rule of the workflow for some of the data sets."""

    files: list[str]
    """The files that it makes, as patterns with the wildcard ``dataset``."""
    datasets: str
    """Regular expression that matches these data sets."""


def reporting_sources(module: str) -> list[str]:
    """Source files that a module of ``mtbalance.reporting`` depends on, itself included."""
    return _closure(f"reporting.{module}")


def toy_sources(method: str) -> list[str]:
    """Source files that a method's trajectories on the toy problem depend on."""
    balancer = TOY_METHODS[method]
    parts = [f"balancing.levels.{balancer['level']}", f"balancing.rules.{balancer['rule']}"]
    return _closure("studies.toy_trajectory", *parts, "balancing.optimizers.adam")


def landscape_sources() -> list[str]:
    """Source files that the toy problem's landscape depends on."""
    return _closure("studies.toy_landscape")


def printed_numbers() -> list[str]:
    """Files of the numbers printed in papers."""
    return sources.relative(sorted(sources.folder("reporting").glob("published/*.csv")))


def _closure(*modules: str) -> list[str]:
    prefix = f"{sources.PACKAGE}."
    return sources.relative(sources.closure(prefix + module.removeprefix(prefix) for module in modules))
