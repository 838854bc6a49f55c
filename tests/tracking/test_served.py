"""A kept model in MLflow: a raw row in, the probabilities of `mtbalance predict` out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import mlflow.pyfunc
import numpy as np
import pandas as pd
import pytest
from mlflow.types import DataType

from kept_models import Kept, keep, predicted
from mtbalance.records import read_run
from mtbalance.tracking.server import _free
from mtbalance.tracking.store import Store
from tracked_runs import current

pytestmark = pytest.mark.slow
PATIENCE = 120


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Kept]:
    return keep(tmp_path_factory.mktemp("kept"))


def logged(project: Path, kept: Kept) -> Path:
    """The model of a run that is logged to the project's store."""
    record = kept.model.with_name(kept.model.name.replace(".model.safetensors", ".json"))
    Store().log(read_run(record), record)
    (run,) = current(project, "try").values()
    assert run["status"] == "FINISHED"
    return project / "mlartifacts" / run["artifacts"].removeprefix("mlflow-artifacts:/") / "model"


TEXTS, NUMBERS = ("country", "device", "visitor", "pages"), ("minutes", "depth", "speed")
"""The columns of the table of visits; the pages are a category as well."""


def features(kept: Kept) -> pd.DataFrame:
    """The raw rows of the test split as a server gets them."""
    if kept.test.suffix == ".csv":
        table = pd.read_csv(kept.test, sep=";", dtype=str, keep_default_na=False)
        return table[[*TEXTS]].join(table[[*NUMBERS]].apply(pd.to_numeric, errors="coerce"))
    table = pd.read_parquet(kept.test)
    return table.filter(like="categorical").astype(int).join(table.filter(like="numerical").astype(float))


@pytest.mark.parametrize("name", ["rows", "visits"])
def test_the_logged_model_gives_the_kept_predictions(project: Path, kept: dict[str, Kept], name: str):
    model, rows = mlflow.pyfunc.load_model(str(logged(project, kept[name]))), features(kept[name])
    found, before = model.predict(rows), pd.read_parquet(kept[name].predictions)
    for column in found:
        np.testing.assert_allclose(found[column], before[column], atol=1e-5)
    types = {column.name: column.type for column in model.metadata.signature.inputs.inputs}
    known = {"int64": DataType.long, "float64": DataType.double}
    assert types == {name: known.get(str(kind), DataType.string) for name, kind in rows.dtypes.items()}


def test_numbers_of_regressions_are_served_in_the_units_of_the_label(project: Path, kept: dict[str, Kept]):
    model = mlflow.pyfunc.load_model(str(logged(project, kept["amounts"])))
    found, before = model.predict(features(kept["amounts"])), pd.read_parquet(kept["amounts"].predictions)
    assert list(found) == ["predicted_pages", "predicted_bought", "predicted_speed"]
    for column in found:
        np.testing.assert_allclose(found[column], before[column], rtol=1e-5, atol=1e-5)


def test_the_code_that_it_needs_travels_with_it(project: Path, kept: dict[str, Kept]):
    place = logged(project, kept["visits"])
    assert (place / "code/score.py").is_file()
    needed = (place / "requirements.txt").read_text().split()
    assert [name.partition("==")[0] for name in needed] == ["mlflow", "numpy", "pandas", "torch"]
    example = json.loads((place / "serving_input_example.json").read_text())["dataframe_split"]
    assert example["columns"] == [*TEXTS, *NUMBERS] and len(example["data"]) == 1


def test_a_model_that_cannot_be_logged_costs_no_run(project: Path, kept: dict[str, Kept], tmp_path: Path):
    """Everything else is logged; the failure is what the process that logs tells training, which goes on."""
    source = kept["visits"].model.with_name("visits.json")
    record, model = tmp_path / "seed-0.json", tmp_path / "seed-0.model.safetensors"
    record.write_bytes(source.read_bytes())
    model.write_bytes(b"damaged")
    with pytest.raises(ValueError, match=r"seed-0\.model"):
        Store().log(read_run(record), record)
    (run,) = current(project, "try").values()
    assert run["status"] == "FINISHED" and run["metrics"]["final_test/mean_auc"]


@pytest.mark.long
def test_mlflow_serves_raw_rows(project: Path, kept: dict[str, Kept], tmp_path: Path):
    """Three ways, one answer: the served model, `mtbalance predict` and what the run kept."""
    place, port = logged(project, kept["visits"]), _free(None)
    rows = features(kept["visits"]).head(5)
    rows.to_csv(tmp_path / "rows.csv", sep=";", index=False)
    ours = predicted(kept["visits"].model, tmp_path / "rows.csv").drop(columns="row")
    columns = json.loads(rows.to_json(orient="split"))
    body = {"dataframe_split": {"columns": columns["columns"], "data": columns["data"]}}
    assert any(cell is None for row in body["dataframe_split"]["data"] for cell in row)  # a missing number
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(place), "--env-manager", "local"]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    with subprocess.Popen(
        [*command, "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    ) as server:
        try:
            answers = _ask(f"http://127.0.0.1:{port}/invocations", body)
        finally:
            server.terminate()
    found = pd.DataFrame(answers["predictions"])
    pd.testing.assert_frame_equal(found, ours, check_dtype=False, atol=1e-5)
    before = pd.read_parquet(kept["visits"].predictions, columns=list(found)).head(5)
    pd.testing.assert_frame_equal(found, before, check_dtype=False, atol=1e-5)


def _ask(address: str, body: dict) -> dict:
    request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
    until = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.load(answer)
        except (urllib.error.URLError, ConnectionError) as error:
            if isinstance(error, urllib.error.HTTPError) or time.monotonic() > until:
                raise
            time.sleep(0.3)
