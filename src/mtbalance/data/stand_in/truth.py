"""The true model behind stand-in rows: the probabilities of a click, and of a conversion after it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.random import Generator
from scipy.special import expit

from mtbalance.data.stand_in.causes import Array, Causes


class Rates(NamedTuple):
    """True probabilities of each row."""

    click: Array
    conversion: Array
    """Of click and conversion together."""


class TrueModel:
    """Two scores of a row's features, and the log-odds of a click and of a conversion after a click.

    ``u`` and ``v`` are :class:`~mtbalance.data.stand_in.causes.Causes`. The click score is ``u``, the conversion score
    ``cos(pi * conflict) * u + sin(pi * conflict) * v``: their correlation is ``cos(pi * conflict)``. Log-odds are an
    intercept plus ``signal`` times the score. :meth:`solve` finds the intercepts for given mean probabilities.
    """

    def __init__(self, features: pl.DataFrame, conflict: float, signal: float, random: Generator) -> None:
        self._causes = Causes(features, 2, random)
        self._turn = np.array([np.cos(np.pi * conflict), np.sin(np.pi * conflict)])
        self._signal = signal
        self.intercepts = (0.0, 0.0)

    def solve(self, features: pl.DataFrame, click_rate: float, conversion_rate: float) -> None:
        """Choose the intercepts that give these mean probabilities on ``features``."""
        from scipy.optimize import brentq  # takes most of a second to import

        click, conversion = (self._signal * score for score in self.scores(features))
        first = brentq(lambda a: expit(a + click).mean() - click_rate, -60, 60)
        clicks = expit(first + click)
        second = brentq(lambda b: (clicks * expit(b + conversion)).mean() - conversion_rate, -60, 60)
        self.intercepts = (float(first), float(second))

    def probabilities(self, features: pl.DataFrame) -> Rates:
        """The probabilities [rows] of click, and of click and conversion together."""
        click, conversion = (
            expit(intercept + self._signal * score)
            for intercept, score in zip(self.intercepts, self.scores(features), strict=True)
        )
        return Rates(click, click * conversion)

    def scores(self, features: pl.DataFrame) -> tuple[Array, Array]:
        """Click score and conversion score [rows]."""
        u, v = self._causes(features)
        return u, self._turn @ np.stack([u, v])
