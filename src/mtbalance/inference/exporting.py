"""export_model: a kept model as a folder that needs no mtbalance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mtbalance.data.ranking.raw_rows import is_text
from mtbalance.data.ranking.schema import Categorical
from mtbalance.data.ranking.table_form import TableForm
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
    the program, or 0 if it is not there; where ``values`` is null, a whole number is given as it is. With ``buckets``
    the text is the number of the cell's bucket, with ``mark`` it says whether the cell is ``missing`` or ``given``.
    ``numerical``: columns in the order of the second input; with ``log1p`` the logarithm is given. ``missing``: texts
    of cells that mark a missing value. ``separator`` and ``columns`` are of CSV files. ``outputs``: the columns of the
    output.
    """
    schema = model.schema
    form = None if schema.form is None else TableForm.model_validate(schema.form)
    return {
        "categorical": [_category(column, form) for column in schema.categorical],
        "numerical": [
            {"column": column.name, "log1p": form is not None and column.name in form.logarithms()}
            for column in schema.numerical
        ],
        "missing": form.missing if form else [],
        "separator": form.separator if form else ",",
        "columns": form.columns if form else None,
        "outputs": model.columns,
        "experiment": model.config.experiment,
        "dataset": schema.dataset,
        "synthetic": schema.synthetic,
    }


def _category(stored: Categorical, form: TableForm | None) -> dict[str, Any]:
    """The encoding of one categorical column, with the column of the raw row that it is made of."""
    facts = {"column": stored.name, "values": stored.vocabulary if is_text(stored) else None}
    if form and stored.name in form.marks():
        return facts | {"column": form.marks()[stored.name], "mark": True}
    if form:
        feature = form.category_columns()[stored.name]
        return facts | {"column": feature.column} | ({"buckets": feature.buckets} if feature.buckets else {})
    return facts
