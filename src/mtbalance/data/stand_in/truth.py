"""The true model behind stand-in rows: the probabilities of a click, and of a conversion after it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import expit

from mtbalance.data.stand_in.features import CARDINALITIES, MEANS

Array = NDArray[np.float64]

SHARES = np.sqrt([0.6, 0.2, 0.2])  # of a score's variance: linear part, products of two, tanh units
LINEAR, PRODUCTS, UNITS, UNIT_INPUTS = 12, 4, 4, 4


class Rates(NamedTuple):
    """True probabilities of each row."""

    click: Array
    conversion: Array
    """Of click and conversion together."""


class TrueModel:
    """Two scores of a row's features, and the log-odds of a click and of a conversion after a click.

    ``u`` and ``v`` are random nonlinear functions, made uncorrelated and of unit variance on the training rows. The
    click score is ``u``, the conversion score ``cos(pi * conflict) * u + sin(pi * conflict) * v``: their correlation is
    ``cos(pi * conflict)``. Log-odds are an intercept plus ``signal`` times the score. :meth:`solve` finds the
    intercepts for given mean probabilities.
    """

    def __init__(self, features: pl.DataFrame, conflict: float, signal: float, random: Generator) -> None:
        self._effects = [random.normal(size=values) for values in CARDINALITIES]
        self._turn = np.array([np.cos(np.pi * conflict), np.sin(np.pi * conflict)])
        self._signal = signal
        inputs = self._inputs(features)
        self._functions = [ScoreFunction(inputs.shape[1], random) for _ in range(2)]
        self._scale = Scale(inputs)
        parts = self._parts(features)
        self._part_scales = [Scale(part) for part in parts]
        u, v = self._mixed(parts)
        self._u, self._overlap = Scale(u), float(np.corrcoef(u, v)[0, 1])
        self._v = Scale(v)
        self._rest = float(np.sqrt(1 - self._overlap**2))
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
        u, v = self._mixed(self._parts(features))
        u, v = self._u(u), self._v(v)
        return u, self._turn @ np.stack([u, (v - self._overlap * u) / self._rest])

    def _inputs(self, features: pl.DataFrame) -> Array:
        categories = [
            effect[features.get_column(f"categorical_{number}").to_numpy()]
            for number, effect in enumerate(self._effects, start=1)
            if effect.size > 1
        ]
        numbers = [
            features.get_column(f"numerical_{number}").to_numpy() for number, mean in enumerate(MEANS, start=1) if mean
        ]
        return np.stack([*categories, *numbers], axis=1)

    def _parts(self, features: pl.DataFrame) -> list[Array]:
        inputs = np.clip(self._scale(self._inputs(features)), -3, 3)
        return [function(inputs) for function in self._functions]

    def _mixed(self, parts: list[Array]) -> tuple[Array, Array]:
        u, v = (scale(part) @ SHARES for scale, part in zip(self._part_scales, parts, strict=True))
        return u, v


class ScoreFunction:
    """A random function of standardized inputs, as its three parts."""

    def __init__(self, inputs: int, random: Generator) -> None:
        self._linear = _sparse(inputs, LINEAR, 1, random)
        self._pairs = random.choice(inputs, size=(2, PRODUCTS), replace=False)
        self._units = _sparse(inputs, UNIT_INPUTS, UNITS, random)

    def __call__(self, inputs: Array) -> Array:
        """Linear part, products and tanh units [rows, 3] of ``inputs`` [rows, inputs]."""
        first, second = self._pairs
        products = (inputs[:, first] * inputs[:, second]).sum(axis=1)
        units = np.tanh(inputs @ self._units).sum(axis=1)
        return np.stack([(inputs @ self._linear)[:, 0], products, units], axis=1)


class Scale:
    """Standardizes values by the mean and standard deviation, along the first axis, of those that it was made with."""

    def __init__(self, values: Array) -> None:
        self._mean, deviation = values.mean(axis=0), values.std(axis=0)
        self._deviation = np.where(deviation > 0, deviation, 1.0)

    def __call__(self, values: Array) -> Array:
        """``values`` minus the mean, over the standard deviation; over 1 if that is zero."""
        scaled: Array = (values - self._mean) / self._deviation
        return scaled


def _sparse(inputs: int, used: int, outputs: int, random: Generator) -> Array:
    weights = np.zeros((inputs, outputs))
    for output in range(outputs):
        chosen = random.choice(inputs, size=min(used, inputs), replace=False)
        weights[chosen, output] = random.choice([-1.0, 1.0], size=chosen.size)
    return weights
