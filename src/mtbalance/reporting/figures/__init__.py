"""The figures of an experiment, each as PNG and PDF. One figure a file.

The file ``figures/curves.py`` holds the figure ``curves`` of ``params.yaml``, as a function

    draw(frame, heading, baseline) -> matplotlib's figure

of collected metrics, the experiment's title, and the balancer that differences refer to.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib
import pandas as pd

from mtbalance.registry import module
from mtbalance.reporting.drawing import FONTS, save


def write_figure(name: str, metrics: Path, stem: Path, *, title: str, baseline: str = "ls") -> None:
    """Write ``stem`` .png and .pdf: figure ``name`` from a collected Parquet file."""
    # Fonts count when axes are made, so drawing stands under them too; nothing global is changed.
    with matplotlib.rc_context(FONTS):
        save(module(__name__, name).draw(pd.read_parquet(metrics), title, baseline), stem)
