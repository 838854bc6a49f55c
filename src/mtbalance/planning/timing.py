"""About how long the training of a preset takes on this machine, from a few steps on stand-in data."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mtbalance import places
from mtbalance.config.datasets import ADAPTERS, Dataset
from mtbalance.config.experiments import Experiment
from mtbalance.config.parameters import Parameters
from mtbalance.config.run import RunConfig, canonical
from mtbalance.planning.disk import is_prepared
from mtbalance.registry import entry

if TYPE_CHECKING:
    from mtbalance.training.estimate import RowSeconds

BUDGET_SECONDS = 60.0


class ExperimentTime(NamedTuple):
    """About how long an experiment takes, in seconds of one core or of the GPU. None: its rows are not known yet, or
    there is nothing to time steps on.
    """

    name: str
    runs: int
    trials: int
    """Trials of every method; 1 if it is not tuned."""
    epochs: int
    at_most: bool
    """True if early stopping may end a run sooner."""
    shortest: float | None
    """The run that is done first."""
    longest: float | None
    """The run that takes longest, however many cores there are."""
    total: float | None
    """All runs, with their evaluations, and the timing of steps that the tables show."""
    timing: float = 0.0
    """Of these, the timing of steps."""


class Layout(NamedTuple):
    """Prepared data that a data set's steps can be timed on."""

    folder: Path
    share: float
    """The work of one of its rows over that of a real one."""


class Timing:
    """Steps timed once for each layout of data, backbone and level: balancers of a level are taken to cost the same."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self.seconds: dict[str, RowSeconds] = {}
        self.balancers: dict[str, None] = {}
        """The balancers that were timed, in order."""
        self.devices: dict[str, None] = {}
        """The devices that steps were timed on."""
        cells = {
            (dataset.adapter, name, backbone, self._level(balancer))
            for name, experiment in parameters.active().items()
            for dataset in (self.dataset(one) for one in experiment.datasets)
            for backbone, balancers in experiment.trained().items()
            for balancer in (*balancers, parameters.tables.baseline)
        }
        self._budget = BUDGET_SECONDS / len(cells)
        self._folder, self._layouts = Path(), dict[str, Layout]()

    def experiments(self) -> list[ExperimentTime]:
        """The experiments of the chosen preset, in order."""
        with tempfile.TemporaryDirectory() as folder:
            self._folder, self._layouts = Path(folder), {}
            return [self._experiment(*item) for item in self._parameters.active().items()]

    def said(self) -> str:
        """What was timed and what is assumed, as text."""
        if not self.devices:
            return "Nothing was timed: the rows of these data are known once they are prepared."
        return (
            f"Timed on {', '.join(self.devices)}, on small synthetic data of the same layout, and scaled: "
            f"{', '.join(self.balancers)}; other balancers of their levels are taken to cost the same. Evaluations and "
            "the timing of steps are included, downloads and preparing are not. N cores divide the time by up to N."
        )

    def _experiment(self, name: str, experiment: Experiment) -> ExperimentTime:
        from mtbalance.training.run import choose_device

        training, all_runs = experiment.training, self._parameters.runs(name)
        trials = experiment.tuning.trials if experiment.tuning else 1
        at_most = training.patience > 0 and training.epochs > training.patience
        whole = choose_device(training.device).type != "cpu"
        runs: list[float] = []
        timing = 0.0
        for dataset in experiment.datasets:
            rows, layout = self.rows(dataset), self._layout(dataset, whole)
            if rows is None or layout is None:
                return ExperimentTime(name, len(all_runs), trials, training.epochs, at_most, None, None, None)
            for backbone, balancers in experiment.trained().items():
                cost = self._costs(name, dataset, backbone, layout)
                runs += [self._run(cost(balancer), experiment, rows) for balancer in balancers]
                if (dataset, backbone) in self._parameters.timed(name):
                    steps = (experiment.timing.blocks + 1) * experiment.timing.steps * training.batch_size
                    timed = [experiment.variants(method)[0] for method in experiment.grid[backbone]]
                    timing += steps * sum(cost(balancer)[0] for balancer in timed)
        total = len(experiment.seeds) * sum(runs) + timing
        if not all_runs:
            return ExperimentTime(name, 0, trials, 0, False, 0.0, 0.0, total, timing)
        ends = min(runs), max(runs)
        return ExperimentTime(name, len(all_runs), trials, training.epochs, at_most, *ends, total, timing)

    def on_cpu(self, experiment: str) -> bool:
        """True if the runs of an experiment are trained on the processor."""
        from mtbalance.training.run import choose_device

        return choose_device(self._parameters.experiments[experiment].training.device).type == "cpu"

    def _run(self, cost: tuple[float, float], experiment: Experiment, rows: Mapping[str, int]) -> float:
        """Seconds of one run: its steps, the evaluation after each epoch, and the one at the end."""
        from mtbalance.training.loop import evaluated_split

        step, evaluation = cost
        training = experiment.training
        epoch = rows["train"] * step + rows[evaluated_split(training)] * evaluation
        last = 0 if training.selection == "last" else rows["test"]
        return training.epochs * epoch + last * evaluation

    def _costs(
        self, experiment: str, dataset: str, backbone: str, layout: Layout
    ) -> Callable[[str], tuple[float, float]]:
        """Seconds a row of a step and of an evaluation, by the balancer. Between searches, a step that weighs losses
        costs as much as the baseline's.
        """
        by_level: dict[str, str] = {}
        names = (self._parameters.tables.baseline, *self._parameters.experiments[experiment].trained()[backbone])
        for name in names:
            by_level.setdefault(self._level(name), name)

        def measured(balancer: str) -> RowSeconds:
            return self._measured(self._parameters.run(experiment, dataset, backbone, balancer, 0), layout)

        def cost(balancer: str) -> tuple[float, float]:
            options = self._parameters.balancer(balancer)
            search, plain = measured(by_level[options.level]), measured(self._parameters.tables.baseline)
            every = getattr(options, "every", 1)
            between = plain if getattr(options, "between", None) == "weighted_loss" else search
            step = (search.step + (every - 1) * between.step) / every
            return step / layout.share, plain.evaluation / layout.share

        return cost

    def _measured(self, run: RunConfig, layout: Layout) -> RowSeconds:
        from mtbalance.training.estimate import device_in_words, seconds_a_row

        options = run.balancer.options
        if hasattr(options, "every"):  # a search at every step
            options = options.model_copy(update={"every": 1})
        run = run.model_copy(update={"balancer": run.balancer.model_copy(update={"options": options})})
        key = f"{layout.folder} {canonical(run.model_copy(update={'dataset': '', 'experiment': ''}))}"
        if key not in self.seconds:
            self.seconds[key] = seconds_a_row(run, layout.folder, self._budget)
            self.balancers[run.balancer.name] = None
            self.devices[device_in_words(run.training)] = None
        return self.seconds[key]

    def rows(self, name: str) -> Mapping[str, int] | None:
        """Rows of each split: counted in the prepared data, or as they are known beforehand."""
        dataset = self.dataset(name)
        if not is_prepared(name, dataset):
            return dataset.size().rows
        schema = json.loads((Path(places.PREPARED.format(dataset=name)) / places.SCHEMA).read_text(encoding="utf-8"))
        return {split: facts["rows"] for split, facts in schema["splits"].items()}

    def _layout(self, name: str, whole: bool) -> Layout | None:
        """A stand-in, prepared in the temporary folder; without one the data set itself, if it is prepared."""
        dataset = self.dataset(name)
        stand_in = dataset.stand_in(whole)
        if stand_in is None:
            folder = Path(places.PREPARED.format(dataset=name)).absolute()
            return Layout(folder, 1.0) if is_prepared(name, dataset) else None
        key = str(dict(stand_in.block))
        if key not in self._layouts:
            called = f"synthetic_{len(self._layouts)}"
            adapter = entry(ADAPTERS, str(stand_in.block["adapter"]), Dataset)
            with chdir(self._folder):
                adapter.model_validate(dict(stand_in.block)).prepare(called, Path(called))
            self._layouts[key] = Layout(self._folder / called, stand_in.share)
        return self._layouts[key]

    def dataset(self, name: str) -> Dataset:
        """A data set by its name."""
        return self._parameters.datasets[name]

    def _level(self, balancer: str) -> str:
        return self._parameters.balancer(balancer).level
