"""The exported program gives our predictions, for any number of rows, where there is no mtbalance."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

from kept_models import Kept, predicted
from mtbalance.data.ranking.decode import encode
from mtbalance.data.ranking.hash_split import hash_texts
from mtbalance.data.ranking.raw_rows import raw_rows
from mtbalance.inference.exporting import export_model
from mtbalance.inference.model import open_model
from mtbalance.inference.program import Program
from mtbalance.inference.score import Scorer, other_way

EACH = pytest.mark.parametrize("name", ["rows", "visits", "amounts"])
WITHOUT_MTBALANCE = """
import runpy, sys
sys.modules["mtbalance"] = None  # its import now fails
sys.argv = [sys.argv[1], sys.argv[2]]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="session")
def exported(kept: dict[str, Kept], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("exported")
    for name, files in kept.items():
        export_model(open_model(files.model), folder / name)
    return {name: folder / name for name in kept}


@EACH
def test_the_script_gives_the_predictions_for_the_test_split(kept, exported, name: str):
    scorer = Scorer(exported[name])
    found = scorer.predict(scorer.read(kept[name].test))
    ours, before = predicted(kept[name].model, kept[name].test), pd.read_parquet(kept[name].predictions)
    assert list(found) == [column for column in before if column.startswith("predicted_")]
    for column in found:
        np.testing.assert_allclose(found[column], ours[column], rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(found[column], before[column], rtol=1e-5, atol=1e-5)


def test_numbers_of_regressions_are_in_the_units_of_the_label(kept, exported):
    scorer = Scorer(exported["amounts"])
    rows = scorer.read(kept["amounts"].test)
    found = scorer.predict(rows)
    assert found["predicted_pages"].between(1, 30).all(), "not the logarithm, whose mean is below 3"
    assert found["predicted_pages"].mean() == pytest.approx(
        np.expm1(np.log1p(rows["pages"].astype(float)).mean()), rel=0.2
    )


@EACH
def test_the_program_encodes_whole_numbers_and_numbers_as_decode_does(kept, exported, name: str):
    """An encoder of its own, from the file that lies beside the program: texts to places, the rest as it is."""
    encoding = json.loads((exported[name] / "encoding.json").read_text())
    program = torch.export.load(exported[name] / "model.pt2").module()
    schema, test = open_model(kept[name].model).schema, pd.read_parquet(kept[name].data / "test.parquet")
    categories = []
    for stored, column in zip(schema.categorical, encoding["categorical"], strict=True):
        places = {value: place + 1 for place, value in enumerate(column["values"] or ())}
        categories.append([places.get(cell, 0) if column["values"] else cell for cell in test[stored.name]])
    numbers = test[[column["column"] for column in encoding["numerical"]]].to_numpy(np.float32, copy=True)
    found = program(torch.tensor(categories).T.contiguous(), torch.from_numpy(numbers)).numpy()
    before = pd.read_parquet(kept[name].predictions)
    np.testing.assert_allclose(found, before[encoding["outputs"]], atol=1e-5)


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_the_number_of_rows_is_free(kept, exported, rows: int):
    scorer = Scorer(exported["visits"])
    raw = scorer.read(kept["visits"].raw)
    whole, part = scorer.predict(raw), scorer.predict(raw.head(rows))
    np.testing.assert_allclose(part, whole.head(rows), atol=1e-6)


def test_values_that_no_training_row_had_are_unknown_to_the_program(kept):
    """Whole numbers below, between and above those of the vocabulary, which has even ones alone here."""
    model = open_model(kept["rows"].model)
    first, *others = model.schema.categorical
    even = first.model_copy(update={"vocabulary": [2 * value for value in first.vocabulary]})
    model.problem.schema = model.schema.model_copy(update={"categorical": [even, *others]})
    table = next(iter(raw_rows(kept["rows"].raw, model.schema))).slice(0, 6)
    raw = torch.tensor([table[column.name].to_pylist() for column in model.schema.categorical]).T.contiguous()
    ids, numbers = map(torch.from_numpy, encode(table, model.schema))
    raw[:, 0] = torch.tensor([-1, 3, even.vocabulary[-1] + 1, 2**40, even.vocabulary[0], even.vocabulary[-1]])
    ids[:, 0] = torch.tensor([0, 0, 0, 0, 1, len(even.vocabulary)])
    assert torch.equal(Program(model)(raw, numbers), torch.stack(list(model(ids, numbers)), 1))


@pytest.mark.slow
def test_the_folder_needs_no_mtbalance(kept, exported, tmp_path):
    rows = pd.read_csv(kept["visits"].raw, sep=";", dtype=str, keep_default_na=False).drop(columns=["bought", "visit"])
    rows.head(20).to_csv(tmp_path / "rows.csv", sep=";", index=False)
    command = [
        sys.executable,
        "-c",
        WITHOUT_MTBALANCE,
        str(exported["visits"] / "score.py"),
        str(tmp_path / "rows.csv"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (tmp_path / "found.csv").write_text(done.stdout)
    ours = predicted(kept["visits"].model, tmp_path / "rows.csv").drop(columns="row")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "found.csv"), ours, check_dtype=False, atol=1e-5)


def test_the_script_names_what_is_wrong_with_a_row(exported):
    scorer = Scorer(exported["visits"])
    cells = {"country": "NL", "device": "phone", "visitor": None, "minutes": 3.5, "pages": 7, "depth": -1, "speed": 0.1}
    row = pd.DataFrame([cells])
    assert scorer.predict(row).shape == (1, 2)
    assert scorer.predict(row.assign(minutes=None)).notna().all(axis=None)
    with pytest.raises(ValueError, match=r"the rows have no column device$"):
        scorer.predict(row.drop(columns="device"))
    with pytest.raises(ValueError, match=r"the rows have no columns device, pages$"):
        scorer.predict(row.drop(columns=["device", "pages"]))
    with pytest.raises(ValueError, match=r"column minutes, row 0 \(counted from 0\): 'long' is not a finite number"):
        scorer.predict(row.assign(minutes="long"))
    whole = Scorer(exported["rows"])
    columns = [*whole.encoding["categorical"], *whole.encoding["numerical"]]
    rows = pd.DataFrame([{column["column"]: 1 for column in columns}])
    with pytest.raises(ValueError, match=r"column categorical_3, row 0 .*: '1\.5' is not a whole number"):
        whole.predict(rows.assign(categorical_3=1.5))


def test_the_script_says_which_texts_no_training_row_had(kept, exported):
    scorer = Scorer(exported["visits"])
    rows = scorer.read(kept["visits"].raw).head(20)

    def said(changed: pd.DataFrame) -> list[str]:
        return scorer.unknown(changed, scorer.inputs(changed)[0])

    before = said(rows)
    assert not [line for line in before if line.startswith("country")]
    one = rows.assign(country=[*rows["country"][:19], "Atlantis"])
    (line,) = set(said(one)) - set(before)
    assert line == "country: 1 of 20 rows have a value that no training row had, such as 'Atlantis'"
    (line,) = set(said(rows.assign(country="nl "))) - set(before)
    assert line == "country: NONE of 20 rows has a value that a training row had, see 'nl '"


def test_a_code_is_the_same_written_as_a_float(kept, exported):
    scorer = Scorer(exported["visits"])
    rows = scorer.read(kept["visits"].raw).head(20)
    ours = scorer.predict(rows)
    assert (ours["predicted_bought"] - scorer.predict(rows.assign(pages="99"))["predicted_bought"]).abs().min() > 0
    pd.testing.assert_frame_equal(ours, scorer.predict(rows.assign(pages=rows["pages"].astype(float))))


def test_only_whole_numbers_and_truth_values_have_another_way():
    cells = ["true", "False", "TRUE", "1", "1.0", "-3", "-3.0", "0", "", "NL", "v1.0", "1.5", "1.00", "1e0"]
    others = ["True", "false", "TRUE", "1.0", "1", "-3.0", "-3", "0.0", "", "NL", "v1.0", "1.5", "1.00", "1e0"]
    assert [other_way(cell) for cell in cells] == others


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda rows: rows.drop(columns="pages"), "rows.csv: the rows have no column pages"),
        (
            lambda rows: rows.assign(minutes="long"),
            "rows.csv: column minutes, row 0 (counted from 0): 'long' is not a finite number",
        ),
        (None, "No such file or directory"),
    ],
)
def test_the_script_ends_with_one_line_where_rows_are_wrong(kept, exported, tmp_path, monkeypatch, change, says):
    if change:
        rows = pd.read_csv(kept["visits"].raw, sep=";", dtype=str, keep_default_na=False).head(3)
        change(rows).to_csv(tmp_path / "rows.csv", sep=";", index=False)
    script = str(exported["visits"] / "score.py")
    monkeypatch.setattr(sys, "argv", [script, str(tmp_path / "rows.csv")])
    with pytest.raises(SystemExit) as ended:  # a text is printed to standard error, and the status is 1
        runpy.run_path(script, run_name="__main__")
    assert says in str(ended.value.code) and "\n" not in str(ended.value.code)


@pytest.fixture
def coded(exported) -> Scorer:
    """A scorer of a truth value, and of a code in two forms."""
    scorer = Scorer(exported["visits"])
    code = {"column": "code", "values": [str(place) for place in range(50)], "buckets": 50}
    columns = [{"column": "member", "values": ["false", "true"]}, {"column": "code", "values": ["9007199254740993"]}]
    scorer.encoding = scorer.encoding | {"categorical": [*columns, code], "numerical": [], "separator": ","}
    return scorer


def test_the_script_reads_truth_values_and_codes_of_parquet_as_training_does(coded, tmp_path):
    rows = pl.DataFrame({"member": [True, False, None], "code": [2**53 + 1, None, 3]})
    rows.write_parquet(tmp_path / "rows.PARQUET")
    texts = ["9007199254740993", None, "3"]
    buckets = [0 if text is None else 1 + int(hash_texts([text], 0)[0] % 50) for text in texts]
    read = coded.read(tmp_path / "rows.PARQUET")
    assert coded.inputs(read)[0].T.tolist() == [[2, 1, 0], [1, 0, 0], buckets]
    assert coded.inputs(pd.DataFrame({"member": [True], "code": [3]}))[0][0, 0] == 2


def test_the_script_reads_names_with_spaces_and_refuses_rows_with_more_cells_than_columns(coded, tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text(" member, code\ntrue,9007199254740993\n")
    assert coded.inputs(coded.read(rows))[0][:, :2].tolist() == [[2, 1]]
    rows.write_text("member,code\ntrue,9007199254740993,\n")
    with pytest.raises(ValueError, match="its rows have more cells than there are columns"):
        coded.read(rows)
