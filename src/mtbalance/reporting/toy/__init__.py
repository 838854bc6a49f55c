"""The report on the toy problem: its figure, and the table of where trajectories end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import pandas as pd

from mtbalance.reporting.drawing import FONTS, save
from mtbalance.reporting.formats import write_csv
from mtbalance.reporting.toy.figure import draw
from mtbalance.reporting.toy.table import ends


def write_report(landscape: Path, trajectories: Sequence[Path], stem: Path) -> None:
    """Write ``stem`` .png, .pdf, .svg and .csv from Parquet files: the landscape, and each method's trajectories."""
    ground = pd.read_parquet(landscape)
    by_method = {path.stem: pd.read_parquet(path) for path in trajectories}
    with matplotlib.rc_context(FONTS):
        save(draw(by_method, ground), stem)
    write_csv(stem.with_name(f"{stem.name}.csv"), ends(by_method, ground))
