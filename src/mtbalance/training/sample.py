"""keep_sample: stores a model's predictions for the first test rows, for the pictures. Nothing is drawn at random."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mtbalance.training.session import Session
from mtbalance.training.step import predict
from mtbalance.writing import replacing

ROWS = 3
"""Number of rows, from the start of the test split, whose predictions are kept."""


def keep_sample(session: Session, path: Path) -> None:
    """Write the model's predictions for the first test rows, with the rows, as named arrays (npz).

    The kind of problem says which arrays (:meth:`~mtbalance.problems.Problem.sample`).
    """
    batch = next(session.problem.split("test").batches(ROWS, None)).to(session.device)
    arrays = session.problem.sample(batch, predict(session.model, batch.inputs, session.config.training))
    with replacing(path) as partial, partial.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays)
