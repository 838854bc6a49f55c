"""Metrics in the units of print: records have shares from 0 to 1, papers print percent."""

from __future__ import annotations

import pandas as pd

from mtbalance.reporting.collect import CONSTANT
from mtbalance.reporting.names import METRICS


def in_printed_units(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with metrics as papers print them: shares in percent."""
    names = frame["metric"].str.removeprefix(CONSTANT)
    return frame.assign(value=frame["value"] * [METRICS[name].factor if name in METRICS else 1.0 for name in names])
