"""Predict raw rows with an exported model. This file needs torch and pandas, but no mtbalance.

    python score.py rows.csv > predictions.csv

It lies beside model.pt2, the program, and encoding.json, which says how rows become the program's inputs.
"""

from __future__ import annotations

import json
import re
import sys
import warnings
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor


class Scorer:
    """An exported model: raw rows in, predictions out."""

    def __init__(self, folder: Path) -> None:
        self.encoding = json.loads((folder / "encoding.json").read_text(encoding="utf-8"))
        self.program = torch.export.load(folder / "model.pt2").module()
        self.missing = {"", *self.encoding["missing"]}

    def read(self, path: Path) -> pd.DataFrame:
        """The rows of a CSV file (also .gz or .zip) or a Parquet file, in the form of the data set."""
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path, dtype_backend="numpy_nullable")  # else 1 is 1.0 where a number is missing
        names, separator = self.encoding["columns"], self.encoding["separator"]
        header = 0 if names is None else None
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            try:
                found = pd.read_csv(
                    path, sep=separator, header=header, names=names, dtype=str, keep_default_na=False, index_col=False
                )
            except pd.errors.ParserWarning:
                raise ValueError("its rows have more cells than there are columns") from None
        return found.rename(columns=str.strip)

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Predictions by task: probabilities, and numbers of regressions.

        Raises ``ValueError`` for a missing column, and for a number that is none.
        """
        return self.outputs(*self.inputs(rows))

    def outputs(self, categories: Tensor, numbers: Tensor) -> pd.DataFrame:
        """Predictions for inputs of the program."""
        found: Tensor = self.program(categories, numbers)
        return pd.DataFrame(found.numpy(), columns=self.encoding["outputs"])

    def inputs(self, rows: pd.DataFrame) -> tuple[Tensor, Tensor]:
        """The program's inputs: categories [rows, F] and numbers [rows, N]."""
        columns = (*self.encoding["categorical"], *self.encoding["numerical"])
        absent = dict.fromkeys(column["column"] for column in columns if column["column"] not in rows)
        if absent:
            raise ValueError(f"the rows have no {'columns' if len(absent) > 1 else 'column'} {', '.join(absent)}")
        categories = [self._categories(rows[column["column"]], column) for column in self.encoding["categorical"]]
        numbers = [_formed(self._numbers(rows[one["column"]]), one) for one in self.encoding["numerical"]]
        return (
            torch.from_numpy(_side_by_side(categories, len(rows), np.int64)),
            torch.from_numpy(_side_by_side(numbers, len(rows), np.float32)),
        )

    def unknown(self, rows: pd.DataFrame, categories: Tensor) -> list[str]:
        """A sentence for each column with values that no training row had, which the model takes all as one."""
        lines = []
        for column, ids in zip(self.encoding["categorical"], categories.T, strict=True):
            new = ids.numpy() == 0
            if column["values"] is not None and new.any():
                first = str(rows[column["column"]].iloc[int(new.argmax())])
                said = f"{new.sum():,} of {len(rows):,} rows have a value that no training row had, such as {first!r}"
                if new.all():
                    said = f"NONE of {len(rows):,} rows has a value that a training row had, see {first!r}"
                lines.append(f"{column['column']}: {said}")
        return lines

    def _categories(self, cells: pd.Series, column: dict[str, Any]) -> np.ndarray:
        """Whole numbers as they are; texts as their places among the values, from 1, with 0 for any other.

        Whole numbers and truth values may be written in another way than in training (:func:`other_way`).
        """
        if column["values"] is None:
            return self._whole(cells)
        places = {value: place for place, value in enumerate(column["values"], start=1)}
        texts = self._texts(cells)
        if column.get("mark"):
            texts = ["missing" if text is None else "given" for text in texts]
        if "buckets" in column:
            texts = [text if text is None else _bucket(text, column["buckets"]) for text in texts]
        return np.array([places.get(text or "", places.get(other_way(text or ""), 0)) for text in texts], np.int64)

    def _whole(self, cells: pd.Series) -> np.ndarray:
        numbers = self._numbers(cells)
        _refuse(cells, ~np.isfinite(numbers) | (numbers % 1 != 0), "is not a whole number")
        return numbers.astype(np.int64)

    def _numbers(self, cells: pd.Series) -> np.ndarray:
        """Numbers, NaN where they are missing."""
        texts = pd.Series(self._texts(cells), dtype=object)
        numbers = np.asarray(pd.to_numeric(texts, errors="coerce"), np.float64)
        _refuse(cells, np.asarray(texts.notna()) & ~np.isfinite(numbers), "is not a finite number")
        return numbers

    def _texts(self, cells: pd.Series) -> list[str | None]:
        """Cells as texts without the spaces around them; missing ones are None."""
        texts = ("" if pd.isna(cell) else _text(cell) for cell in cells)
        return [None if text in self.missing else text for text in texts]


def _text(cell: Any) -> str:
    """A cell as training had it: a truth value is ``true`` or ``false``."""
    return str(cell).lower() if isinstance(cell, bool | np.bool_) else str(cell).strip()


def other_way(text: str) -> str:
    """``1`` for ``1.0``, ``True`` for ``true``, and the other way round; any other text as it is.

    One code is written in both ways, since pandas makes floats of whole numbers as soon as one is missing, and writes
    truth values as Python does.
    """
    if text in ("true", "false", "True", "False"):
        return text.swapcase()[0] + text[1:]
    if re.fullmatch(r"-?[0-9]+(\.0)?", text) is None:
        return text
    return text.removesuffix(".0") if text.endswith(".0") else f"{text}.0"


def _bucket(text: str, buckets: int) -> str:
    digest = blake2b(text.encode(), digest_size=8, key=b"0").digest()
    return str(int.from_bytes(digest, "little") % buckets)


def _formed(numbers: np.ndarray, column: dict[str, Any]) -> np.ndarray:
    return np.sign(numbers) * np.log1p(np.abs(numbers)) if column["log1p"] else numbers


def _side_by_side(columns: Sequence[np.ndarray], rows: int, kind: type) -> np.ndarray:
    return np.stack(columns, 1).astype(kind) if columns else np.empty((rows, 0), kind)


def _refuse(cells: pd.Series, bad: np.ndarray, why: str) -> None:
    if bad.any():
        place = int(bad.argmax())
        raise ValueError(f"column {cells.name}, row {place} (counted from 0): {str(cells.iloc[place])!r} {why}")


def _load_pyfunc(folder: str) -> Scorer:
    """What MLflow calls to load the model."""
    return Scorer(Path(folder))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("say which rows: python score.py rows.csv > predictions.csv")
    scorer = Scorer(Path(__file__).parent)
    try:
        table = scorer.read(Path(sys.argv[1]))
        inputs = scorer.inputs(table)
    except (OSError, ValueError) as error:
        sys.exit(f"{sys.argv[1]}: {error}")
    for line in scorer.unknown(table, inputs[0]):
        print(line, file=sys.stderr)
    scorer.outputs(*inputs).to_csv(sys.stdout, index=False)
