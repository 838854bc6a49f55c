"""Pictures of a model's predictions for the first test rows. One file per kind of problem.

The file ``pictures/scenes.py`` draws the samples of scene runs, as a function

    draw(sample, heading) -> matplotlib's figure

of the arrays that the run kept (npz), by name, and the line of text above the picture.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtbalance.config.kinds import kind
from mtbalance.errors import DAMAGED, UserError
from mtbalance.faults import briefly
from mtbalance.records import RunRecord, read_run
from mtbalance.registry import function
from mtbalance.reporting.names import backbone_name, balancer_name, dataset_heading
from mtbalance.writing import replacing


def write_picture(record: Path, sample: Path, output: Path) -> None:
    """Draw the ``sample`` (npz) that a run kept beside its ``record``, as PNG.

    Raises ``UserError`` if the record or the sample cannot be read, and for a kind of problem without pictures.
    """
    run = read_run(record)
    problem = str(run.config["model"]["problem"])
    if not kind(problem).pictured:
        raise UserError(f"{record}: {problem} has no picture of its predictions")
    draw = function(__name__, problem, "draw")
    figure = draw(_arrays(sample), _heading(run))
    with replacing(output) as partial:
        figure.savefig(partial, dpi=110, format="png", metadata={"Software": None})


def _arrays(sample: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a sample. Raises ``UserError`` if it is damaged: the checksums of a zip tell."""
    try:
        with np.load(sample, allow_pickle=False) as arrays:
            return dict(arrays)
    except DAMAGED as error:
        raise UserError(f"{sample} cannot be read ({briefly(error)}); delete it and run the workflow again") from error


def _heading(record: RunRecord) -> str:
    run = record.run
    dataset = dataset_heading(run.dataset, record.data.synthetic)
    method = f"{backbone_name(run.backbone)}, {balancer_name(run.balancer)}"
    return f"{dataset}, {method}, seed {run.seed}: first test images"
