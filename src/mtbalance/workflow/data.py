"""DataFiles: the raw and the prepared files of the data sets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mtbalance import places
from mtbalance.config.addresses import shown
from mtbalance.config.datasets import Dataset, RawFile
from mtbalance.config.kinds import kind
from mtbalance.config.parameters import Parameters
from mtbalance.workflow.code import closure_of


def alternatives(names: Iterable[str]) -> str:
    """Regular expression that matches exactly the given names; for an empty list it matches nothing."""
    return "|".join(map(re.escape, names)) or "(?!)"


class DataFiles:
    """The files of the data sets, and what they are made from, as ``params.yaml`` says."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def dataset(self, name: str) -> Dataset:
        """A data set's block."""
        return self.parameters.datasets[name]

    def raw_files(self) -> dict[str, RawFile]:
        """The raw files that are fetched or placed by hand, by path."""
        return {file.path: file for _, file in self._raw_files()}

    def _raw_files(self) -> Iterator[tuple[str, RawFile]]:
        for name, dataset in self.parameters.datasets.items():
            yield from ((name, file) for file in dataset.raw_files())

    def addresses(self, path: str) -> list[str]:
        """A raw file's addresses, checksum, size and data set, as options of ``mtbalance fetch``.

        Addresses are without secrets, as logs and Snakemake's records keep the command. The command looks them up.
        """
        name, file = next((name, file) for name, file in self._raw_files() if file.path == path)
        facts = {"sha256": file.sha256, "bytes": file.bytes, "dataset": name}
        options = [*(("url", shown(url)) for url in file.urls), *facts.items()]
        return [f"--{key}={value}" for key, value in options if value is not None]

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

    def splits(self, name: str) -> list[str]:
        """Files of a prepared data set but for its manifest."""
        return self.prepared(name)[:-1]

    def dataset_config(self, name: str) -> str:
        """A data set's block of ``params.yaml``, as JSON, whose keys are not sorted: tasks keep their order."""
        return self.dataset(name).model_dump_json()

    def generator_config(self, name: str) -> str:
        """The options that a stand-in data set's raw files depend on, as JSON: all but the split."""
        return self.dataset(name).model_dump_json(exclude={"split"})

    def adapter_sources(self, name: str) -> list[str]:
        """Source files that a data set's preparation depends on."""
        return closure_of(f"data.adapters.{self.dataset(name).adapter}")

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


class DataRule(NamedTuple):
    """A rule of the workflow for some of the data sets."""

    files: list[str]
    """The files that it makes, as patterns with the wildcard ``dataset``."""
    datasets: str
    """Regular expression that matches these data sets."""
