"""Numbers as text, the same in every table."""

from __future__ import annotations

import math

MISSING = "–"
MINUS = "−"


def decimal(value: float, digits: int) -> str:
    """A number with fixed decimals and a real minus sign; a dash where there is none."""
    return MISSING if math.isnan(value) else f"{value:.{digits}f}".replace("-", MINUS)


def signed(value: float, digits: int) -> str:
    """A difference: always with its sign, except where it rounds to zero."""
    if math.isnan(value):
        return MISSING
    text = f"{value:+.{digits}f}"
    return text.replace("-", MINUS) if float(text) else text[1:]


def mean_and_spread(mean: float, spread: float, digits: int) -> str:
    """``0.7092 ± .0012``, or the mean alone where one seed has no spread."""
    if math.isnan(spread):
        return decimal(mean, digits)
    text = decimal(spread, digits)
    return f"{decimal(mean, digits)} ± {text.removeprefix('0')}"


def counted(number: int, singular: str) -> str:
    """``1 seed``, ``2 seeds``."""
    return f"{number} {singular}" if number == 1 else f"{number} {singular}s"
