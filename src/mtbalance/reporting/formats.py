"""Numbers as text, the same in every table."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

from mtbalance.writing import write_text

MISSING = "–"
MINUS = "−"
SIGNIFICANT_DIGITS = 5
MOST_NAMED = 4
"""Tasks that a sentence names one by one, at most."""


def decimal(value: float, digits: int) -> str:
    """A number with fixed decimals and a real minus sign; a dash if there is none."""
    return MISSING if math.isnan(value) else f"{value:.{digits}f}".replace("-", MINUS)


def error_digits(largest: float) -> int:
    """Decimals with which the largest error of a column has five digits, however small it is in its unit."""
    return max(SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(largest)), 0) if largest > 0 else 4


def signed(value: float, digits: int) -> str:
    """A difference with its sign; without one if it rounds to zero."""
    if math.isnan(value):
        return MISSING
    text = f"{value:+.{digits}f}"
    return text.replace("-", MINUS) if float(text) else text[1:]


def mean_and_spread(mean: float, spread: float, digits: int) -> str:
    """``0.7092 ± .0012``, or the mean alone if one seed has no spread."""
    if math.isnan(spread):
        return decimal(mean, digits)
    text = decimal(spread, digits)
    return f"{decimal(mean, digits)} ± {text.removeprefix('0')}"


def counted(number: int, singular: str) -> str:
    """``1 seed``, ``2 seeds``."""
    return f"{number} {singular}" if number == 1 else f"{number} {singular}s"


def write_csv(path: Path, numbers: pd.DataFrame) -> None:
    """Write numbers as CSV with six significant digits, whole or not at all."""
    write_text(path, numbers.to_csv(index=False, float_format="%.6g", lineterminator="\n"))
