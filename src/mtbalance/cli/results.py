"""Commands that turn run records into metrics, tables, figures and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mtbalance import places
from mtbalance.cli.arguments import ParametersOption, experiment_of, parameters_from
from mtbalance.config.parameters import Parameters
from mtbalance.config.run import RunConfig
from mtbalance.config.tuning import Trial
from mtbalance.errors import UserError

TitleOption = Annotated[str, typer.Option(help="The experiment's title.")]
BaselineOption = Annotated[str, typer.Option(help="The balancer that the others are compared with.")]


def _recorded(experiment: str, params: str) -> tuple[Parameters, list[Path], list[RunConfig], dict[str, Trial]]:
    """The parameters; and of an experiment the records of its runs, the runs, and what its variants are trials of."""
    from mtbalance.workflow import Workflow

    parameters = parameters_from(params)
    name = experiment_of(parameters, experiment)
    records = [Path(file) for file in Workflow(parameters).records(name)]
    return parameters, records, parameters.runs(name), parameters.experiments[name].trials()


def collect(experiment: str, output: Path, params: ParametersOption = places.PARAMETERS) -> None:
    """Collect the run and timing records of EXPERIMENT into one Parquet file; stale ones are refused."""
    from mtbalance.reporting.collect import collect as write
    from mtbalance.workflow import Workflow

    parameters, records, runs, trials = _recorded(experiment, params)
    workflow = Workflow(parameters)
    made = (workflow.timings, workflow.steps, workflow.predictions)
    simple = (workflow.references, workflow.reference_predictions)
    timings, steps, predictions, references, of_references = (
        [Path(file) for file in of(experiment)] for of in (*made, *simple)
    )
    write(
        records,
        runs,
        timings,
        parameters.all_timing_runs(experiment),
        output,
        steps=steps,
        trials=trials,
        predictions=_there(predictions, "no test over rows"),
        references=_there(references, "no rows of simple models"),
        reference_predictions=_there(of_references, "no intervals of simple models"),
        baseline=parameters.tables.baseline,
    )


def _there(files: list[Path], else_: str) -> list[Path]:
    """The files if all are there, as in the workflow; by hand, records may be collected without them."""
    missing = [file for file in files if not file.is_file()]
    if missing:
        typer.echo(f"{missing[0]} is missing: tables will have {else_}")
    return [] if missing else files


def trials(experiment: str, output: Path, params: ParametersOption = places.PARAMETERS) -> None:
    """Collect all trials of the tuned EXPERIMENT into one Parquet file, and mark the chosen ones."""
    from mtbalance.reporting.trials import collect_trials

    parameters, records, runs, of_variants = _recorded(experiment, params)
    if parameters.experiments[experiment].tuning is None:
        raise UserError(f"experiments.{experiment} has no block `tuning`: there are no trials to collect")
    collect_trials(records, runs, of_variants, output)


def calibrate(experiment: str, output: Path, params: ParametersOption = places.PARAMETERS) -> None:
    """Compare the predictions that the runs of EXPERIMENT kept with the labels, before and after scaling (.parquet)."""
    from mtbalance.reporting.calibration import Files, collect_calibration

    _, records, runs, trials = _recorded(experiment, params)
    patterns = (places.VALID_PREDICTIONS, places.PREDICTIONS)
    kept = {run.digest(): Files(*(Path(of.format(**run.wildcards)) for of in patterns)) for run in runs}
    collect_calibration(records, runs, kept, trials, output)


def summarize(
    metrics: list[Path],
    means: Annotated[Path, typer.Option(help="Where all means go (.json).")],
    output: Annotated[Path, typer.Option(help="Where the few go that `dvc metrics show` prints (.json).")],
    baseline: BaselineOption = "ls",
) -> None:
    """Write the mean test metrics of collected METRICS as JSON, all of them and a few for DVC."""
    from mtbalance.reporting.summary import write_means, write_summary

    write_summary(write_means(metrics, means), output, baseline)


def table(
    name: str,
    metrics: Path,
    folder: Path,
    title: TitleOption = "",
    baseline: BaselineOption = "ls",
    significance: Annotated[float, typer.Option(help="The largest p that gets a mark.")] = 0.05,
) -> None:
    """Write table NAME (such as auc) from collected METRICS into FOLDER, as CSV, Markdown, HTML and LaTeX."""
    from mtbalance.reporting.tables import write_table

    write_table(name, metrics, folder / name, title=title, baseline=baseline, significance=significance)


def market(experiment: str, output: Path, params: ParametersOption = places.PARAMETERS) -> None:
    """Simulate an A/B test of the models of EXPERIMENT on synthetic data, and A/A trials, and write them as Parquet."""
    from mtbalance.reporting.choice import choose
    from mtbalance.reporting.collected import write_collected
    from mtbalance.reporting.reading import read_records
    from mtbalance.studies.market.experiment import market as simulate

    parameters, records, runs, trials = _recorded(experiment, params)
    write_collected(output, simulate(parameters, experiment, choose(read_records(records, runs), trials)))


def audit(output: Path) -> None:
    """Recompute the PUB paper's printed tables from their own cells; OUTPUT says what fits and what does not."""
    from mtbalance.reporting.audit import write_audit
    from mtbalance.reporting.printed import everything

    write_audit(output, everything())


def claims(
    stem: Path,
    metrics: list[Path],
    market: Annotated[list[Path] | None, typer.Option(help="A simulated market (.parquet).")] = None,
    toy: Annotated[Path | None, typer.Option(help="The toy problem's table (.csv).")] = None,
    significance: Annotated[float, typer.Option(help="The largest p that counts.")] = 0.05,
    params: Annotated[list[str] | None, typer.Option(help="params.yaml (default), or parameters as JSON.")] = None,
) -> None:
    """Check what the papers claim against collected METRICS, and write the ledger (STEM .md and .json)."""
    import pandas as pd

    from mtbalance.reporting.claims.document import write_claims
    from mtbalance.reporting.claims.evidence import Evidence, read_metrics
    from mtbalance.reporting.collected import read_collected
    from mtbalance.reporting.printed import everything

    parameters = [parameters_from(text) for text in params or [places.PARAMETERS]]
    active = [(each, name) for each in parameters for name in each.active()]
    runs = [run for each, name in active for run in each.runs(name)]
    timed = [run for each, name in active for run in each.all_timing_runs(name)]
    methods = {
        (name, variant): trial.method
        for each, name in active
        for variant, trial in each.experiments[name].trials().items()
    }
    evidence = Evidence(
        read_metrics(metrics, runs, timed, methods),
        everything(),
        pd.concat(map(read_collected, market), ignore_index=True) if market else pd.DataFrame(),
        pd.read_csv(toy) if toy else pd.DataFrame(),
        parameters[0].tables.baseline,
        significance,
    )
    write_claims(stem, evidence)


def report(
    output: Annotated[Path, typer.Argument()] = Path(places.PAGE),
    config: Annotated[str | None, typer.Option(help="What it shows, as JSON; default: the chosen preset.")] = None,
    params: ParametersOption = places.PARAMETERS,
) -> None:
    """Write one HTML page with everything that the chosen preset made: it opens without a network."""
    from mtbalance.config.reading import checked
    from mtbalance.reporting.page import Page, write_page
    from mtbalance.workflow import Workflow

    write_page(output, checked(Page, config or Workflow(parameters_from(params)).page_config()))


def figure(name: str, metrics: Path, folder: Path, title: TitleOption = "", baseline: BaselineOption = "ls") -> None:
    """Draw figure NAME (such as curves) from collected METRICS into FOLDER, as PNG, PDF and SVG."""
    from mtbalance.reporting.figures import write_figure

    write_figure(name, metrics, folder / name, title=title, baseline=baseline)


def picture(record: Path, sample: Path, output: Path) -> None:
    """Draw the predictions for the first test rows that a run kept in SAMPLE, beside its RECORD, as PNG in OUTPUT."""
    from mtbalance.reporting.pictures import write_picture

    write_picture(record, sample, output)
