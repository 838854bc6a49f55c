"""The reference record: what models that share nothing and balance nothing reach on a ranking data set."""

from __future__ import annotations

from mtbalance.records.parts import FORMAT, Format, Part


class ReferenceModel(Part):
    """One kind of model, fitted to each task alone."""

    test: dict[str, dict[str, float]]
    """Metrics on the test split, by metric and task."""
    chosen: dict[str, str]
    """What was chosen on the valid split, by task."""
    seconds: float
    """Seconds that the fits took, on one thread."""


class ReferenceRecord(Part):
    """The references of one data set."""

    format: Format = FORMAT
    """Version of the record."""
    dataset: str
    """The data set."""
    sha256: dict[str, str]
    """SHA-256 of each split's Parquet file, by split."""
    fitted_rows: int
    """Training rows that the models were fitted to: the first ones, if there are more."""
    scikit_learn: str
    """Version of scikit-learn."""
    models: dict[str, ReferenceModel]
    """The models by their names."""


def prediction_of(model: str, task: str) -> str:
    """The column of a model's predictions for a task, in the file beside the record."""
    return f"{model}_{task}"
