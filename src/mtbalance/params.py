"""``params.yaml`` as a whole: the catalogue of blocks, the experiments made of them, and the preset that is run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from mtbalance.combinations import Senseless, of_problem, of_training, refuse
from mtbalance.config import (
    Backbone,
    BackboneChoice,
    Balancer,
    BalancerChoice,
    Count,
    Dataset,
    Fraction,
    Model,
    ModelConfig,
    RunConfig,
    Strict,
    TrainingConfig,
    UnknownKeys,
    task_faults,
)
from mtbalance.errors import UserError

Seed = Annotated[int, Field(ge=0)]
Names = Annotated[list[str], Field(min_length=1)]


class Timing(Strict):
    """How balancers are timed against the baseline."""

    blocks: Count = 10
    """Blocks of steps, all balancers taking turns; the median over blocks is reported."""
    steps: Count = 10
    """Steps in a block; a multiple of the longest search period."""


TABLES = {
    "ranking": {
        "auc": "AUC of every method",
        "ne": "normalised entropy and throughput against LS",
        "levels": "mean AUC by rule and level",
    },
    "scenes": {"scenes": "segmentation, depth, normals and throughput of every method"},
}
FIGURES = {"ranking": ("auc", "curves", "weights", "levels"), "scenes": ("scenes", "weights")}
"""What can be made of each kind of problem."""


class Experiment(Strict):
    """What is trained on what: one table of a paper."""

    title: str
    """Printed over its tables."""
    datasets: Names
    grid: Annotated[dict[str, Names], Field(min_length=1)]
    """The balancers that are run on each backbone."""
    seeds: Annotated[list[Seed], Field(min_length=1)]
    model: Model = ModelConfig()
    training: TrainingConfig
    timing: Timing = Timing()
    tables: tuple[str, ...] = ("auc", "ne")
    figures: tuple[str, ...] = ("auc", "curves", "weights")

    @model_validator(mode="after")
    def _refuse_what_makes_no_sense(self) -> Self:
        refuse(of_problem(self.model, self.training))
        return self


class Tables(Strict):
    """How tables compare runs."""

    baseline: str = "ls"
    """The balancer that differences and tests refer to, on the same backbone with the same seeds."""
    significance: Fraction = 0.05
    """Largest two-sided p of the paired t-test that earns a mark."""


class Parameters(Strict):
    """All of ``params.yaml``."""

    preset: str
    presets: dict[str, Names]
    """The experiments of each preset."""
    experiments: dict[str, Experiment]
    datasets: dict[str, Dataset]
    backbones: dict[str, Backbone]
    balancers: dict[str, Balancer]
    tables: Tables = Tables()

    def active(self) -> dict[str, Experiment]:
        """The experiments of the chosen preset."""
        return {name: self.experiments[name] for name in self.presets[self.preset]}

    def run(self, experiment: str, dataset: str, backbone: str, balancer: str, seed: int) -> RunConfig:
        """The complete configuration of one run."""
        chosen = self.experiments[experiment]
        return RunConfig(
            experiment=experiment,
            dataset=dataset,
            backbone=BackboneChoice(name=backbone, options=self.backbones[backbone]),
            balancer=BalancerChoice(name=balancer, options=self.balancers[balancer]),
            model=chosen.model,
            training=chosen.training,
            seed=seed,
        )

    def runs(self, experiment: str) -> list[RunConfig]:
        """The configurations of all runs of an experiment."""
        return [self.run(experiment, *cell) for cell in self.cells(experiment)]

    def timed(self, experiment: str) -> list[tuple[str, str]]:
        """Data set and backbone of each timing: wherever the baseline is run and another balancer beside it."""
        chosen, baseline = self.experiments[experiment], self.tables.baseline
        backbones = [name for name, grid in chosen.grid.items() if baseline in grid and set(grid) != {baseline}]
        return [(dataset, backbone) for dataset in chosen.datasets for backbone in backbones]

    def timing_runs(self, experiment: str, dataset: str, backbone: str) -> list[RunConfig]:
        """The runs that are timed in turn: the baseline, then the others, with the first seed."""
        chosen = self.experiments[experiment]
        others = [name for name in chosen.grid[backbone] if name != self.tables.baseline]
        names = [self.tables.baseline, *others]
        return [self.run(experiment, dataset, backbone, name, chosen.seeds[0]) for name in names]

    def excerpt(self, experiment: str) -> Parameters:
        """The parameters that one experiment's numbers depend on, and no others: not what is shown of them, and how."""
        chosen = self.experiments[experiment].model_copy(update={"title": "", "tables": (), "figures": ()})
        used = {balancer for balancers in chosen.grid.values() for balancer in balancers} | {self.tables.baseline}
        return Parameters(
            preset=experiment,
            presets={experiment: [experiment]},
            experiments={experiment: chosen},
            datasets={name: self.datasets[name] for name in chosen.datasets},
            backbones={name: self.backbones[name] for name in chosen.grid},
            balancers={name: block for name, block in self.balancers.items() if name in used},
            tables=Tables(baseline=self.tables.baseline),
        )

    def cells(self, experiment: str) -> Iterator[tuple[str, str, str, int]]:
        """Dataset, backbone, balancer and seed of every run of an experiment."""
        chosen = self.experiments[experiment]
        for dataset in chosen.datasets:
            for backbone, balancers in chosen.grid.items():
                for balancer in balancers:
                    for seed in chosen.seeds:
                        yield dataset, backbone, balancer, seed


class ParametersError(UserError):
    """What is wrong with the parameters: one line a fault, each with the path of its key."""


def parse(raw: Mapping[str, Any]) -> Parameters:
    """Check parameters. Raises :class:`ParametersError` that names every faulty key."""
    try:
        parameters = Parameters.model_validate(dict(raw))
    except ValidationError as error:
        raise ParametersError("\n".join(fault_lines(error, raw))) from None
    faults = list(_dangling(parameters)) or [
        *_shareless(parameters),
        *_senseless(parameters),
        *dict.fromkeys(_miscounted(parameters)),
    ]
    if faults:
        raise ParametersError("\n".join(faults))
    return parameters


def load(path: Path) -> Parameters:
    """Read and check a ``params.yaml``. Raises :class:`ParametersError` as :func:`parse` does."""
    try:
        raw = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        raise ParametersError(f"{path} is not here: run this in the project's folder, or name one: --params") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ParametersError(f"{path} cannot be read as YAML: {error}") from None
    if not isinstance(raw, dict):
        raise ParametersError(f"{path} holds no keys; it should begin with `preset:`")
    return parse(raw)


def fault_lines(error: ValidationError, raw: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """One line a fault, each beginning with the path of the key in ``raw``."""
    for fault in error.errors():
        where = path + _keys_of(raw, fault["loc"])
        cause = fault.get("ctx", {}).get("error")
        if isinstance(cause, ValidationError):
            yield from fault_lines(cause, _at(raw, fault["loc"]), where)
        elif isinstance(cause, Senseless):
            yield from (f"{'.'.join((*where, key))}: {reason}" for key, reason in cause.faults)
        elif isinstance(cause, UnknownKeys):
            block = path + _keys_of(raw, fault["loc"], last=False)
            for key in cause.keys:
                yield f"{'.'.join((*block, str(key)))}: unknown key; {_suggestion(str(key), cause.allowed)}"
        else:
            yield ": ".join(filter(None, (".".join(where), _message(fault))))


def _message(fault: Mapping[str, Any]) -> str:
    if fault["type"] == "missing":
        return "missing"
    message = fault["msg"].removeprefix("Value error, ")
    return message if isinstance(fault["input"], Mapping) else f"{message}, not {fault['input']!r}"


def _keys_of(raw: Any, location: tuple[int | str, ...], last: bool = True) -> tuple[str, ...]:
    """``location`` without the union tags that pydantic adds to it.

    They are what is no key of ``raw``; a missing key is none either, but is the ``last``.
    """
    keys = []
    for position, key in enumerate(location):
        inside = (isinstance(raw, Mapping) and key in raw) or (isinstance(raw, list) and isinstance(key, int))
        if inside:
            raw = raw[key]
        if inside or (last and position == len(location) - 1):
            keys.append(str(key))
    return tuple(keys)


def _at(raw: Any, location: tuple[int | str, ...]) -> Any:
    for key in _keys_of(raw, location):
        raw = raw[int(key) if isinstance(raw, list) else key]
    return raw


def _suggestion(name: str, allowed: list[str]) -> str:
    near = get_close_matches(name, allowed, n=1)
    return f"allowed: {', '.join(allowed)}" + (f" (did you mean {near[0]}?)" if near else "")


def _foreign(path: str, experiment: Experiment, parameters: Parameters) -> Iterator[str]:
    """Names of another kind of problem than the experiment's model."""
    problem = experiment.model.problem
    blocks = [("datasets", name, parameters.datasets.get(name)) for name in experiment.datasets]
    blocks += [("grid", name, parameters.backbones.get(name)) for name in experiment.grid]
    for key, name, block in blocks:
        if block is not None and block.problem != problem:
            yield f"{path}.{key}: {name!r} is of {block.problem}, the model of {problem} (model.problem)"
    for key, names, known in (("tables", experiment.tables, TABLES), ("figures", experiment.figures, FIGURES)):
        for name in names:
            if name not in known[problem]:
                yield f"{path}.{key}: no {name!r} of {problem}; {_suggestion(name, list(known[problem]))}"


def _dangling(parameters: Parameters) -> Iterator[str]:
    """Names that are used and not defined."""

    def check(path: str, names: Iterable[str], defined: Mapping[str, Any]) -> Iterator[str]:
        for name in names:
            if name not in defined:
                yield f"{path}: {name!r} is not defined; {_suggestion(name, list(defined))}"

    yield from check("preset", [parameters.preset], parameters.presets)
    for preset, names in parameters.presets.items():
        yield from check(f"presets.{preset}", names, parameters.experiments)
    for name, experiment in parameters.experiments.items():
        yield from check(f"experiments.{name}.datasets", experiment.datasets, parameters.datasets)
        yield from check(f"experiments.{name}.grid", experiment.grid, parameters.backbones)
        for backbone, balancers in experiment.grid.items():
            yield from check(f"experiments.{name}.grid.{backbone}", balancers, parameters.balancers)
        yield from _foreign(f"experiments.{name}", experiment, parameters)
    yield from check("tables.baseline", [parameters.tables.baseline], parameters.balancers)


def _shareless(parameters: Parameters) -> Iterator[str]:
    """Balancers that need something shared, on backbones that share nothing."""
    for name, experiment in parameters.experiments.items():
        for backbone, balancers in experiment.grid.items():
            for balancer in balancers if not parameters.backbones[backbone].shares else ():
                if (level := parameters.balancers[balancer].level) != "loss":
                    yield (
                        f"experiments.{name}.grid.{backbone}: {balancer!r} balances at level {level} what tasks share,"
                        f" and this backbone shares nothing: only level loss can"
                    )


def _senseless(parameters: Parameters) -> Iterator[str]:
    """Balancers that make no sense with the training of an experiment that has them."""
    for name, experiment in parameters.experiments.items():
        for balancer in sorted({balancer for balancers in experiment.grid.values() for balancer in balancers}):
            for key, reason in of_training(parameters.balancers[balancer], experiment.training):
                yield f"balancers.{balancer}.{key}: {reason} (experiments.{name})"


def _miscounted(parameters: Parameters) -> Iterator[str]:
    """Options of balancers with a value for each task, where a data set that they are run on has another number."""
    for experiment in parameters.experiments.values():
        for dataset in experiment.datasets:
            tasks = len(parameters.datasets[dataset].tasks)
            for balancer in {name for names in experiment.grid.values() for name in names}:
                for fault in task_faults(parameters.balancers[balancer], tasks, f"balancers.{balancer}"):
                    yield f"{fault}: data set {dataset} has {tasks} tasks"
