"""Workflow: what is made of the runs, on top of the files of the data sets and of the runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from mtbalance import places
from mtbalance.config.datasets import TRUTH
from mtbalance.config.experiments import CALIBRATION, MARKET, TUNING
from mtbalance.config.kinds import package_of
from mtbalance.config.run import canonical
from mtbalance.studies.toy_methods import METHODS as TOY_METHODS
from mtbalance.workflow.code import closure_of, printed_numbers
from mtbalance.workflow.runs import RunFiles

TABLE_FORMATS = ("csv", "md", "html", "tex")
FIGURE_FORMATS = ("png", "pdf", "svg")
TOY_TABLE = f"{places.TOY_REPORT}.csv"


class Workflow(RunFiles):
    """The files of a project and what they depend on, as ``params.yaml`` says."""

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

    def plots(self, preset: str) -> list[str]:
        """The figures of a preset as PNG."""
        experiments = self.parameters.presets[preset]
        return [file for name in experiments for file in self.figures(name) if file.endswith(".png")]

    def pictures(self, experiment: str) -> list[str]:
        """Pictures of the predictions of every run; none if this kind of problem has no pictures."""
        return self.of_runs(experiment, places.PICTURE) if experiment in self.pictured() else []

    def pictured(self) -> list[str]:
        """The experiments whose predictions are drawn as pictures."""
        return [name for name, experiment in self.parameters.experiments.items() if experiment.problem.pictured]

    def results(self) -> list[str]:
        """All files that the chosen preset makes.

        Records, what runs keep, and timings are listed although the page may not need them: Snakemake makes a lost file
        in between again only if a target asks for it.
        """
        kept = (self.predictions, self.valid_predictions, self.models, self.steps)
        asked = (*kept, self.timings, self.references, self.market, self.calibration, self.trials, self.figures)
        files = self._of_preset(*asked)
        summaries = [of.format(preset=self.parameters.preset) for of in (places.MEANS, places.SUMMARY, places.PLOTS)]
        return [*self.page_files(), *files, *summaries, f"{places.CLAIMS}.json", places.PAGE]

    def _of_preset(self, *questions: Callable[[str], list[str]]) -> list[str]:
        """The answers for all experiments of the chosen preset."""
        return [file for experiment in self.parameters.active() for of in questions for file in of(experiment)]

    def page_files(self) -> list[str]:
        """What the page shows."""
        files = self._of_preset(self.records, self.metrics, self.tables, self.pictures)
        return [*files, f"{places.CLAIMS}.md", places.AUDIT]

    def page_config(self) -> str:
        """The preset, the baseline, and each experiment's title and tables, as JSON."""
        experiments = [
            {"name": name, "title": experiment.title, "tables": list(experiment.tables)}
            for name, experiment in self.parameters.active().items()
        ]
        preset, baseline = self.parameters.preset, self.parameters.tables.baseline
        return json.dumps({"preset": preset, "baseline": baseline, "experiments": experiments})

    def data(self) -> list[str]:
        """The prepared data sets of the chosen preset."""
        datasets = {name for experiment in self.parameters.active().values() for name in experiment.datasets}
        return [file for name in sorted(datasets) for file in self.prepared(name)]

    def metrics(self, experiment: str) -> list[str]:
        """The collected metrics of an experiment."""
        return [places.METRICS.format(experiment=experiment)]

    def market(self, experiment: str) -> list[str]:
        """The simulated A/B tests of an experiment; none if no table or figure of it shows them."""
        chosen = self.parameters.experiments[experiment]
        return [places.MARKET.format(experiment=experiment)] if MARKET in (*chosen.tables, *chosen.figures) else []

    def calibration(self, experiment: str) -> list[str]:
        """The calibration of an experiment's predictions; none if no table or figure of it shows it."""
        chosen = self.parameters.experiments[experiment]
        shown = CALIBRATION in (*chosen.tables, *chosen.figures)
        return [places.CALIBRATION.format(experiment=experiment)] if shown else []

    def trials(self, experiment: str) -> list[str]:
        """All trials of an experiment; none if it is not tuned."""
        return [places.TRIALS.format(experiment=experiment)] if self.parameters.experiments[experiment].tuning else []

    def shown(self, experiment: str, name: str) -> list[str]:
        """The collected file that a table or a figure is made of: metrics, but for those of three others."""
        made = {MARKET: self.market, CALIBRATION: self.calibration, TUNING: self.trials}
        return made.get(name, self.metrics)(experiment)

    def calibration_inputs(self, experiment: str) -> list[str]:
        """What the calibration of an experiment is made of: its runs, with their predictions for two splits."""
        return [*self.records(experiment), *self.predictions(experiment), *self.valid_predictions(experiment)]

    def market_inputs(self, experiment: str) -> list[str]:
        """What the market of an experiment is made of: its runs, and the true probabilities of its data."""
        datasets = self.parameters.experiments[experiment].datasets
        truth = [f"{self.raw_folder(name)}/{TRUTH}" for name in datasets]
        test = [f"{self.prepared_folder(name)}/test.parquet" for name in datasets]
        return [*self.records(experiment), *self.predictions(experiment), *truth, *test]

    def market_sources(self) -> list[str]:
        """Source files that a market depends on."""
        return closure_of("studies.market.experiment", "reporting.choice", "reporting.reading")

    def metrics_of_preset(self, preset: str) -> list[str]:
        """The collected metrics of all experiments of a preset."""
        return [file for experiment in self.parameters.presets[preset] for file in self.metrics(experiment)]

    def markets(self) -> list[str]:
        """The simulated A/B tests of the chosen preset."""
        return self._of_preset(self.market)

    def toy_made(self) -> list[str]:
        """The toy problem's table, if `make toy` made it here: no preset asks for it."""
        ways = [places.TOY_TRAJECTORIES.format(method=method) for method in TOY_METHODS]
        made = all(Path(file).is_file() for file in (places.TOY_LANDSCAPE, *ways, TOY_TABLE))
        return [TOY_TABLE] if made else []

    def claims_options(self) -> list[str]:
        """The markets, the toy problem's table and each experiment's parameters, as options of ``mtbalance claims``."""
        options = {"market": self.markets(), "toy": self.toy_made()}
        options["params"] = [self.experiment_params(experiment) for experiment in self.parameters.active()]
        return [f"--{name}={value}" for name, values in options.items() for value in values]

    def experiment_params(self, experiment: str) -> str:
        """The parameters that an experiment's results depend on, as canonical JSON."""
        return canonical(self.parameters.excerpt(experiment))

    def table_options(self, experiment: str) -> list[str]:
        """Title and baseline of an experiment's tables and figures, as options of ``mtbalance table``."""
        title = self.parameters.experiments[experiment].title
        return [f"--title={title}", f"--baseline={self.parameters.tables.baseline}"]

    def table_sources(self, experiment: str, table: str) -> list[str]:
        """Source files that a table depends on, and the printed numbers that it sets beside ours."""
        package = package_of(self.parameters.experiments[experiment].problem.tables, table)
        return [*closure_of("reporting.tables", f"{package}.{table}"), *printed_numbers()]

    def figure_sources(self, experiment: str, figure: str) -> list[str]:
        """Source files that a figure depends on, and the printed numbers if it draws any."""
        package = package_of(self.parameters.experiments[experiment].problem.figures, figure)
        files = closure_of("reporting.figures", f"{package}.{figure}")
        return [*files, *printed_numbers()] if set(closure_of("reporting.printed")) <= set(files) else files

    def picture_sources(self, experiment: str) -> list[str]:
        """Source files that a picture of predictions depends on."""
        problem = self.parameters.experiments[experiment].model.problem
        return closure_of("reporting.pictures", f"reporting.pictures.{problem}")
