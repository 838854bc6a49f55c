"""Run in a copy of the project that has the files of the how-to pages: try each, and write what came of it.

A process of its own, so that the registries and the checks are the real ones. The working directory is the copy.
"""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from mtbalance import places
from mtbalance.cli import app
from mtbalance.config.parameters import Parameters
from mtbalance.config.reading import parse
from mtbalance.config.run import canonical


def mtbalance(*command: str) -> None:
    """Run a command as a person would, in this process."""
    app(list(command), standalone_mode=False)


def write_raw_files() -> None:
    """The raw files of the pages' data sets, small ones."""
    random = np.random.default_rng(0)
    visits = ["visit,country,device,minutes,spent,bought,returned"]
    for number in range(300):
        country, device = random.choice(["NL", "ES", "FR"]), random.choice(["phone", "desktop"])
        minutes = "" if number % 7 == 0 else f"{random.uniform(0, 20):.1f}"
        yes = random.choice(["yes", "no"], size=2)
        visits.append(f"v{number:04},{country},{device},{minutes},{random.integers(1, 30)}.50,{yes[0]},{yes[1]}")
    _write("data/raw/shop/visits.csv", visits)
    pairs = [(user, film) for user in range(1, 31) for film in range(1, 41, 3)]
    _write(
        "data/raw/movielens/ratings.dat", [f"{u}::{f}::{random.integers(1, 6)}::{978300760 + u * f}" for u, f in pairs]
    )
    inputs = random.uniform(-1, 1, size=(2000, 3))
    readings = [f"{a:.4f},{b:.4f},{c:.4f},{0.3 + a - 2 * b + 0.1 * c:.4f}" for a, b, c in inputs]
    _write("data/raw/boilers/readings.csv", ["pressure,flow,outside,temperature", *readings])


def _write(path: str, lines: list[str]) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def experiment(parameters: Parameters, name: str) -> dict[str, Any]:
    """Do what the workflow would, from preparing to tables and figures. Returns the records."""
    chosen = parameters.experiments[name]
    for dataset in chosen.datasets:
        mtbalance("prepare", dataset)
    records = {}
    for run in parameters.runs(name):
        output = places.RECORD.format(**run.wildcards)
        mtbalance("train", "--config", canonical(run), "--output", output, "--no-track")
        records[f"{run.backbone.name} {run.balancer.name}"] = json.loads(Path(output).read_text())
    for dataset, backbone in parameters.timed(name):
        runs = ",".join(map(canonical, parameters.timing_runs(name, dataset, backbone)))
        output = places.TIMING.format(experiment=name, dataset=dataset, backbone=backbone)
        mtbalance("time", output, "--config", f"[{runs}]", "--blocks", "1", "--steps", "1")
    metrics = places.METRICS.format(experiment=name)
    Path(metrics).parent.mkdir(parents=True, exist_ok=True)
    mtbalance("collect", name, metrics)
    for table in chosen.tables:
        mtbalance("table", table, metrics, places.TABLES.format(experiment=name), "--title", chosen.title)
    for figure in chosen.figures:
        mtbalance("figure", figure, metrics, places.FIGURES.format(experiment=name), "--title", chosen.title)
    return records


def own_tests() -> int:
    """Run the tests that pages show; returns how many there were."""
    functions = [
        function
        for file in sorted(Path("tests").rglob("test_*.py"))
        for name, function in runpy.run_path(str(file)).items()
        if name.startswith("test_")
    ]
    for function in functions:
        function()
    return len(functions)


def declared(block: dict[str, Any]) -> list[Any]:
    """True where the registry has the block's rule, and the options that it comes to."""
    from mtbalance.balancing.checking import balancer_options
    from mtbalance.registry import available

    return [block["rule"] in available("mtbalance.balancing.rules"), balancer_options(block).model_dump(mode="json")]


def refusal(block: dict[str, Any]) -> str:
    """The message that refuses a balancer's block; empty where it is accepted."""
    from mtbalance.balancing.checking import balancer_options

    try:
        balancer_options(block)
    except ValueError as error:
        return str(error)
    return ""


def main() -> None:
    """Try everything; the one argument is the file for what came of it."""
    write_raw_files()
    for page in sorted(Path("pages").glob("*.yaml")):
        parse(yaml.safe_load(page.read_text(encoding="utf-8")))
    parameters = parse(yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8")))
    found = {
        "tests": own_tests(),
        "contract": app(["test", "src/mtbalance/balancing/rules/inverse_norm.py"], standalone_mode=False) or 0,
        "declared": declared(parameters.balancers["inverse_norm"].model_dump(exclude_unset=True)),
        "negative power": refusal({"level": "gradient", "rule": "inverse_norm", "power": -1.0}),
        "misspelled": refusal({"level": "gradient", "rule": "inverse_norm", "powr": 1.0}),
        "trial": experiment(parameters, "trial"),
        "boilers": experiment(parameters, "boilers"),
    }
    for dataset in ("shop_visits", "movielens_1m"):
        mtbalance("prepare", dataset)
    Path(sys.argv[1]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
