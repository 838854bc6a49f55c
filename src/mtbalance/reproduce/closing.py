"""The last words of `make reproduce` and of Snakemake: what came out, the files that were made, what to try next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mtbalance import places
from mtbalance.config.experiments import Experiment
from mtbalance.config.kinds import package_of
from mtbalance.config.parameters import Parameters
from mtbalance.config.reading import read_parameters
from mtbalance.registry import declaration

ANSWER = "  - "
"""What a sentence of the answer begins with."""

TITLE = re.compile(r"<title>mtbalance: (.*?)</title>")
BEGINNING = 1000
"""Characters of the page within which it has its title."""
PRESET = "Preset "
"""What the line begins with that a run begins with."""


def closing(parameters: Parameters, seconds: float) -> str:
    """The closing message: what came out, the files that were made, and what to try next."""
    lines = [f"\nDone in {seconds / 60:.1f} minutes. {places.PAGE} shows everything; in short:", *_answers(parameters)]
    for name, experiment in parameters.active().items():
        runs = f"{len(parameters.runs(name))} runs" if experiment.seeds else "timed"
        lines.append(f"\n{experiment.title} ({runs} on {', '.join(experiment.datasets)}):")
        lines += [f"  {file:<40} {what}" for file, what in _made(name, experiment)]
    lines += [
        f"\n{places.CLAIMS}.md: what both papers claim, and whether it adds up.",
        f"{places.AUDIT}: the PUB paper's printed tables, recomputed from their own cells.",
        "\nNext (after `source .venv/bin/activate`):",
        "  mtbalance ui                                   compare the runs in a browser",
        "  edit params.yaml, then: dvc repro              runs what the edit changes; dvc metrics diff shows it",
        "  snakemake --cores all --config preset=census   the same on real data",
        "  mtbalance plan --preset nyuv2_first            the papers' data: what it downloads, and how long it takes",
    ]
    return "\n".join(lines)


def remade(parameters: Parameters, began: float) -> Iterator[str]:
    """What Snakemake says at the end of a run that began at that time (Unix) and made the page anew; else nothing."""
    page = Path(places.PAGE)
    if page.exists() and page.stat().st_mtime >= began:
        yield f"{page} shows everything, and `mtbalance ui` the single runs; in short:"
        yield from _answers(parameters)


def shown() -> Iterator[str]:
    """What the page that is there shows, after a run that had nothing to do; nothing without a page."""
    page = Path(places.PAGE)
    if not page.exists():
        return
    with page.open(encoding="utf-8") as stream:
        found = TITLE.search(stream.read(BEGINNING))
    parameters = read_parameters(Path(places.PARAMETERS))
    if found and found[1] in parameters.presets:
        yield f"{page} shows preset {found[1]}; in short:"
        yield from _answers(parameters.model_copy(update={"preset": found[1]}))


def _answers(parameters: Parameters) -> Iterator[str]:
    """The sentences that stand on top of the page."""
    from mtbalance.reporting.answer import answer
    from mtbalance.reporting.collected import read_collected

    for name, experiment in parameters.active().items():
        frame = read_collected(Path(places.METRICS.format(experiment=name)))
        yield from (f"{ANSWER}{sentence}" for sentence in answer(frame, experiment.title, parameters.tables.baseline))


def _made(name: str, experiment: Experiment) -> Iterator[tuple[str, str]]:
    """The files of an experiment, and what each of them is."""
    for table in experiment.tables:
        yield (
            f"{places.TABLE.format(experiment=name, table=table)}.md",
            f"{_said_of(experiment, table)} (also .csv, .html, .tex)",
        )
    yield f"{places.FIGURES.format(experiment=name)}/", f"{', '.join(experiment.figures)} (.png, .pdf, .svg)"
    if experiment.problem.pictured:
        yield f"{places.PICTURES.format(experiment=name)}/", "every run's predictions for the first test images"
    if experiment.seeds:
        yield f"{places.RUNS.format(experiment=name)}/", "one record per run: configuration, checksums, every epoch"


def _said_of(experiment: Experiment, table: str) -> str:
    """A table in a few words: the first line of its file."""
    package = package_of(experiment.problem.tables, table)
    return declaration(str(package), table).summary.rstrip(".")
