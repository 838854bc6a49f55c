"""export_model: a kept model as a folder that needs no mtbalance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mtbalance.data.ranking.raw_rows import is_text
from mtbalance.inference import score
from mtbalance.inference.model import Model
from mtbalance.inference.program import write_program
from mtbalance.writing import write_json, write_text

PROGRAM, ENCODING, SCORE = "model.pt2", "encoding.json", "score.py"


def export_model(model: Model, folder: Path) -> None:
    """Write the program, the encoding of raw rows, and a script that does both, into ``folder``."""
    write_program(model, folder / PROGRAM)
    write_json(folder / ENCODING, encoding(model))
    write_text(folder / SCORE, Path(score.__file__).read_text(encoding="utf-8"))


def encoding(model: Model) -> dict[str, Any]:
    """What turns raw rows into the program's inputs, in plain values.

    ``categorical``: columns in the order of the first input. Of a text its place among ``values``, from 1, is given to
    the program, or 0 if it is not there; where ``values`` is null, a whole number is given as it is. ``numerical``:
    columns in the order of the second input. ``missing``: texts of cells that mark a missing value. ``separator`` and
    ``columns`` are of CSV files. ``outputs``: the columns of the output.
    """
    schema = model.schema
    form = schema.form or {"missing": [], "separator": ",", "columns": None}
    return {
        "categorical": [
            {"column": column.name, "values": column.vocabulary if is_text(column) else None}
            for column in schema.categorical
        ],
        "numerical": [{"column": column.name} for column in schema.numerical],
        **{key: form[key] for key in ("missing", "separator", "columns")},
        "outputs": model.columns,
        "experiment": model.config.experiment,
        "dataset": schema.dataset,
        "synthetic": schema.synthetic,
    }
