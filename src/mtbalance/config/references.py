"""Checks across the blocks of ``params.yaml``: undefined names, and blocks that do not fit together.

Blocks do not fit together if they are of different kinds of problem, if a balancer needs something shared on a backbone
that shares nothing, if it contradicts the training, or if it has options for another number of tasks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from mtbalance import places
from mtbalance.balancing.checking import task_faults
from mtbalance.config.contradictions import of_balancer_with_training
from mtbalance.config.datasets import TRUTH
from mtbalance.config.experiments import CALIBRATION, MARKET, Experiment
from mtbalance.config.kinds import TIMED_FIGURES, TIMED_TABLES, names_in, package_of
from mtbalance.config.parameters import Parameters
from mtbalance.config.variants import SIGN
from mtbalance.errors import quoted
from mtbalance.faults import fault_lines
from mtbalance.registry import suggestion

MEASURED = {"cosines", "pairs"}
"""Tables and figures that are made of measured steps."""
REGRESSION, ANY_TASK = "regression", {"curves", "tuning"}
"""The table of regressions, and what shows tasks of both kinds; all else that is ranking's own shows binary tasks."""


def faults(parameters: Parameters) -> list[str]:
    """One line per fault, each with the path of its key."""
    return (
        list(_undefined(parameters))
        or list(_impossible_variants(parameters))
        or [
            *_nothing_shared(parameters),
            *_no_truth(parameters),
            *_not_measured(parameters),
            *_nothing_to_pair(parameters),
            *_not_kept(parameters),
            *_no_such_tasks(parameters),
            *_elsewhere(parameters),
            *_contradictions(parameters),
            *dict.fromkeys(_wrong_number_of_tasks(parameters)),
        ]
    )


def _undefined(parameters: Parameters) -> Iterator[str]:
    """Names that are not defined, and names of another kind of problem."""
    yield from _check("preset", [parameters.preset], parameters.presets)
    for preset, names in parameters.presets.items():
        yield from _check(f"presets.{preset}", names, parameters.experiments)
    for name, experiment in parameters.experiments.items():
        path = f"experiments.{name}"
        yield from _check(f"{path}.datasets", experiment.datasets, parameters.datasets)
        for backbone, balancers in experiment.grid.items():
            yield from _check(f"{path}.grid.{backbone}", [backbone], parameters.backbones)
            names = [name.partition(SIGN)[0] for name in balancers]
            yield from _check(f"{path}.grid.{backbone}", names, parameters.balancers)
        yield from _of_another_kind(path, experiment, parameters)
        yield from _unknown_outputs(path, experiment)
        yield from _of_no_runs(path, experiment, parameters.timed(name))
    yield from _check("tables.baseline", [parameters.tables.baseline], parameters.balancers)


def _check(path: str, names: Iterable[str], defined: Mapping[str, Any]) -> Iterator[str]:
    for name in names:
        if name not in defined:
            yield f"{path}: {quoted(name)} is not defined; allowed: {suggestion(name, list(defined))}"


def _of_another_kind(path: str, experiment: Experiment, parameters: Parameters) -> Iterator[str]:
    """Data sets and backbones of another kind of problem than the experiment's model."""
    wanted = experiment.model.problem
    for name in experiment.datasets:
        dataset = parameters.datasets.get(name)
        if dataset is not None and dataset.problem != wanted:
            yield f"{path}.datasets: {name!r} is data for {dataset.problem}, but model.problem is {wanted}"
    for name in experiment.grid:
        backbone = parameters.backbones.get(name)
        if backbone is not None and backbone.package != experiment.problem.models:
            yield f"{path}.grid: {name!r} (kind {backbone.kind}) is no backbone for {wanted} (model.problem)"


def _outputs(experiment: Experiment) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """The keys ``tables`` and ``figures``, with the names under them, and the packages of the kind of problem."""
    kind = experiment.problem
    return [("tables", experiment.tables, kind.tables), ("figures", experiment.figures, kind.figures)]


def _unknown_outputs(path: str, experiment: Experiment) -> Iterator[str]:
    """Tables and figures that this kind of problem does not have."""
    for key, names, packages in _outputs(experiment):
        known = names_in(packages)
        for name in names:
            if name not in known:
                wrong = f"{experiment.model.problem} has no {quoted(name)}"
                yield f"{path}.{key}: {wrong}; allowed: {suggestion(name, known)}"


def _impossible_variants(parameters: Parameters) -> Iterator[str]:
    """Variants that are written otherwise than they should be, or with options that their balancer does not have."""
    for name, experiment in parameters.experiments.items():
        tuned = {"tuning": list(experiment.trials())} if experiment.tuning else {}
        for place, balancers in (tuned or {f"grid.{key}": names for key, names in experiment.grid.items()}).items():
            path = f"experiments.{name}.{place}"
            for variant in (balancer for balancer in balancers if SIGN in balancer):
                try:
                    parameters.balancer(variant)
                    parameters.training(name, variant)
                except ValidationError as error:
                    yield from (f"{path}: {variant}: {fault}" for fault in fault_lines(error, {}))
                except ValueError as error:
                    yield f"{path}: {variant}: {error}"


def _of_no_runs(path: str, experiment: Experiment, timed: list[tuple[str, str]]) -> Iterator[str]:
    """Tables and figures that need runs, and nothing to time, in an experiment without seeds."""
    if experiment.seeds:
        return
    if not timed:
        yield f"{path}.seeds: without seeds balancers are only timed, and no backbone has the baseline and another one"
    for (key, names, _), possible in zip(_outputs(experiment), (TIMED_TABLES, TIMED_FIGURES), strict=True):
        for name in sorted(set(names) - set(possible)):
            yield f"{path}.{key}: {name!r} is made of runs, and without seeds there is none; allowed: {possible[0]}"


def _nothing_shared(parameters: Parameters) -> Iterator[str]:
    """Balancers that need something shared, on backbones that share nothing."""
    for name, experiment in parameters.experiments.items():
        for backbone, balancers in experiment.grid.items():
            for balancer in balancers if not parameters.backbones[backbone].shares else ():
                if (level := parameters.balancer(balancer).level) != "loss":
                    yield (
                        f"experiments.{name}.grid.{backbone}: {balancer!r} balances what tasks share (level {level}),"
                        f" and this backbone shares nothing: only balancers at level loss can be run on it"
                    )


def _no_truth(parameters: Parameters) -> Iterator[str]:
    """Markets on data whose true probabilities are not known."""
    for name, experiment in parameters.experiments.items():
        for key, names, _ in _outputs(experiment):
            for dataset in experiment.datasets if MARKET in names else ():
                if TRUTH not in parameters.datasets[dataset].generated:
                    yield f"experiments.{name}.{key}: 'market' needs true probabilities, which {dataset} does not have"


def _not_measured(parameters: Parameters) -> Iterator[str]:
    """Tables and figures of cosines that the runs do not measure."""
    for name, experiment in parameters.experiments.items():
        for key, names, _ in _outputs(experiment):
            for asked in MEASURED & {*names} if "cosines" not in experiment.measure else ():
                yield f"experiments.{name}.{key}: {asked!r} needs `measure: [cosines]` in this experiment"


def _nothing_to_pair(parameters: Parameters) -> Iterator[str]:
    """Pairs of methods where no model shares anything between tasks, or none has two methods."""
    for name, experiment in parameters.experiments.items():
        sharing = [names for backbone, names in experiment.grid.items() if parameters.backbones[backbone].shares]
        several = any(len(parameters.datasets[dataset].task_names()) > 1 for dataset in experiment.datasets)
        for key, names, _ in _outputs(experiment):
            if "pairs" in names and not (several and any(len(methods) > 1 for methods in sharing)):
                yield (
                    f"experiments.{name}.{key}: 'pairs' compares methods on a backbone that shares parameters between"
                    " tasks: it needs two methods on one, and a data set of two tasks"
                )


def _not_kept(parameters: Parameters) -> Iterator[str]:
    """Calibration that is fitted on predictions that the runs do not keep."""
    for name, experiment in parameters.experiments.items():
        for key, names, _ in _outputs(experiment):
            if CALIBRATION in names and "valid_predictions" not in experiment.keep:
                yield f"experiments.{name}.{key}: {CALIBRATION!r} needs `keep: [valid_predictions]` in this experiment"


def _no_such_tasks(parameters: Parameters) -> Iterator[str]:
    """Tables and figures of binary tasks, or of regressions, where no data set of the experiment has one."""
    for name, experiment in parameters.experiments.items():
        datasets = [parameters.datasets[dataset] for dataset in experiment.datasets]
        regression = any(dataset.regressions() for dataset in datasets)
        binary = any(len(dataset.regressions()) < len(dataset.task_names()) for dataset in datasets)
        for key, names, packages in _outputs(experiment):
            for shown in names:
                own = str(package_of(packages, shown)).endswith(".ranking") and shown not in ANY_TASK
                there = regression if shown == REGRESSION else binary
                if own and not there:
                    what = "a regression" if shown == REGRESSION else "a binary task"
                    instead = f"{REGRESSION}, cost" if key == "tables" else "curves, weights, speed"
                    yield (
                        f"experiments.{name}.{key}: {shown!r} shows {what}, and {', '.join(experiment.datasets)} has"
                        f" none; give `{key}` without it" + ("" if binary else f", such as [{instead}]")
                    )


def _elsewhere(parameters: Parameters) -> Iterator[str]:
    """Raw files whose place is not in the project's folder of raw data: the workflow may write there."""
    for name, dataset in parameters.datasets.items():
        paths = [file.path for form in dataset.forms() for file in form if not places.is_raw(file.path)]
        for key, value in _texts(dataset.model_dump(), f"datasets.{name}") if paths else ():
            if any(path == value or path.startswith(f"{value}/") for path in paths):
                wanted = f"a path in {places.RAW_DATA}, without braces, is wanted (a link will do)"
                yield f"{key}: {wanted}, not {quoted(value)}"


def _texts(block: Any, path: str) -> Iterator[tuple[str, str]]:
    """The path of each key below a block whose value is a text, and the text."""
    if isinstance(block, str):
        yield path, block
    elif isinstance(block, Mapping):
        for key, value in block.items():
            yield from _texts(value, f"{path}.{key}")


def _contradictions(parameters: Parameters) -> Iterator[str]:
    """Balancers that make no sense with the training of an experiment that has them."""
    for name, experiment in parameters.experiments.items():
        for balancer in sorted(experiment.trials()):
            for key, reason in of_balancer_with_training(
                parameters.balancer(balancer), parameters.training(name, balancer)
            ):
                yield f"{_place(name, balancer)}.{key}: {reason} (experiments.{name})"


def _place(experiment: str, balancer: str) -> str:
    """Where a balancer's options stand: in its own block, or, of a variant, in the experiment's grid."""
    return f"experiments.{experiment}.grid: {balancer}" if SIGN in balancer else f"balancers.{balancer}"


def _wrong_number_of_tasks(parameters: Parameters) -> Iterator[str]:
    """Balancers whose options have a value per task, but for other tasks than a data set of theirs has."""
    for name, experiment in parameters.experiments.items():
        for dataset in experiment.datasets:
            tasks = parameters.datasets[dataset].task_names()
            for balancer in experiment.trials():
                for fault in task_faults(parameters.balancer(balancer), tasks, _place(name, balancer)):
                    yield f"{fault}: data set {dataset} has {len(tasks)} tasks, {', '.join(tasks)}"
