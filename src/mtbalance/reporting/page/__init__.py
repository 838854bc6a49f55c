"""The page: one HTML file with everything that a preset made, to be opened anywhere and sent to anybody.

It needs no network: plotly's script draws the plots, DataTables' (through itables) sorts and filters the leaderboard,
both from within the page. Plotly was chosen for its numbers under the pointer, itables since it makes a DataTable with
filters of a data frame in one call.
"""

from __future__ import annotations

import re
from base64 import b64encode
from pathlib import Path
from typing import Any

import pandas as pd
from itables.javascript import generate_init_offline_itables_html
from itables.options import dt_bundle
from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from mtbalance import places
from mtbalance.blocks import Block
from mtbalance.config.kinds import kind
from mtbalance.records import RERUN, RecordError, TimingRecord, read_run, read_timing
from mtbalance.reporting.answer import answer
from mtbalance.reporting.collected import read_collected
from mtbalance.reporting.html import rendered
from mtbalance.reporting.names import is_a_papers
from mtbalance.reporting.page import leaderboard, plots
from mtbalance.reporting.page.provenance import provenance
from mtbalance.reporting.value import RUN, trained
from mtbalance.writing import write_text

NOTEBOOK = re.compile(r"<noscript>.*?</noscript>", re.DOTALL)
"""What itables says where scripts do not run: it takes the page for a notebook."""
PICTURES = 8
"""Pictures of predictions that are shown, at most."""


class Shown(Block):
    """What the page shows of one experiment."""

    name: str
    """Its name."""
    title: str
    """Its title."""
    tables: list[str]
    """Its tables."""


class Page(Block):
    """What the page shows."""

    preset: str
    """The preset."""
    baseline: str
    """The balancer that the others are compared with."""
    experiments: list[Shown]
    """The experiments, in order."""


def write_page(output: Path, page: Page) -> None:
    """Write the page, from the collected metrics, records, tables and pictures in the working directory."""
    template = Environment(
        loader=PackageLoader("mtbalance.reporting", "page"), undefined=StrictUndefined, autoescape=False
    ).get_template("page.html.jinja")
    root = "../" * (len(output.parts) - 1)
    frames = [_metrics(experiment.name) for experiment in page.experiments]
    files = [f"{places.CLAIMS}.md", places.AUDIT]
    shown = files if any(map(_of_the_papers, frames)) else []
    text = template.render(
        preset=page.preset,
        sections=[
            _section(experiment, frame, page.baseline, root)
            for experiment, frame in zip(page.experiments, frames, strict=True)
        ],
        documents=[_document(Path(path)) for path in shown],
        left_out=[f"{root}{path}" for path in files if path not in shown],
        plotly=get_plotlyjs(),
        datatables=NOTEBOOK.sub("", generate_init_offline_itables_html(dt_bundle)),
    )
    write_text(output, text)


def _metrics(experiment: str) -> pd.DataFrame:
    return read_collected(Path(places.METRICS.format(experiment=experiment)))


def _of_the_papers(frame: pd.DataFrame) -> bool:
    """True if some of an experiment's data are a paper's, or a stand-in: the papers' claims are about such."""
    return bool(frame["synthetic"].any() or frame["dataset"].map(is_a_papers).any())


def _section(shown: Shown, frame: pd.DataFrame, baseline: str, root: str) -> dict[str, Any]:
    """The parts of an experiment as HTML."""
    of_records = trained(frame).assign(balancer=lambda rows: rows["variant"])
    runs = of_records.astype({"seed": str})[["experiment", *RUN]].to_dict("records")
    pictures = [Path(places.PICTURE.format(**run)) for run in runs] if kind(frame["problem"].iloc[0]).pictured else []
    tables = [Path(f"{places.TABLE.format(experiment=shown.name, table=table)}.md") for table in shown.tables]
    records = [read_run(Path(places.RECORD.format(**run))) for run in runs]
    return {
        "name": shown.name,
        "title": shown.title,
        "answer": answer(frame, shown.title, baseline),
        "leaderboard": leaderboard.html(leaderboard.leaderboard(frame, baseline, root), shown.name),
        "plots": [plots.html(figure) for figure in plots.plots(frame, baseline)],
        "tables": [_document(path) for path in tables],
        "pictures": [(path.stem, b64encode(_content(path)).decode()) for path in pictures[:PICTURES]],
        "provenance": provenance(records or _timings(frame)).to_html(index=False, border=0),
    }


def _timings(frame: pd.DataFrame) -> list[TimingRecord]:
    """The timing records of an experiment."""
    timed = frame.drop_duplicates(["dataset", "backbone"]).to_dict("records")
    return [read_timing(Path(places.TIMING.format(**row))) for row in timed]


def _document(path: Path) -> tuple[str, str]:
    """Title and body of a Markdown file that begins with its title."""
    title, _, body = _content(path).decode().partition("\n")
    return title.lstrip("# "), rendered(body)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise RecordError(f"{path} is missing", RERUN) from None
