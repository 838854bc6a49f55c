"""Causes of stand-in labels: random nonlinear functions of a row's features, uncorrelated on the training rows."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray

from mtbalance.data.stand_in.features import CARDINALITIES, MEANS

Array = NDArray[np.float64]

SHARES = np.sqrt([0.6, 0.2, 0.2])  # of a cause's variance: linear part, products of two, tanh units
LINEAR, PRODUCTS, UNITS, UNIT_INPUTS = 12, 4, 4, 4


class Causes:
    """``count`` functions of a row's features, of unit variance and without correlation on ``features``.

    Each is random; what it has in common with those before it is taken away (Gram and Schmidt).
    """

    def __init__(self, features: pl.DataFrame, count: int, random: Generator) -> None:
        self._effects = [random.normal(size=values) for values in CARDINALITIES]
        inputs = self._inputs(features)
        self._functions = [ScoreFunction(inputs.shape[1], random) for _ in range(count)]
        self._scale = Scale(inputs)
        parts = self._parts(features)
        self._part_scales = [Scale(part) for part in parts]
        mixtures = self._mixed(parts)
        self._mixture_scales = [Scale(mixture) for mixture in mixtures]
        self._overlaps: list[list[float]] = []
        causes: list[Array] = []
        for mixture in mixtures:  # correlations have no scale: the first cause is as good as its mixture
            others = [mixtures[0], *causes[1:]][: len(causes)]
            self._overlaps.append([float(np.corrcoef(other, mixture)[0, 1]) for other in others])
            causes.append(self._without(mixture, causes))

    def __call__(self, features: pl.DataFrame) -> list[Array]:
        """The causes, each [rows]."""
        causes: list[Array] = []
        for mixture in self._mixed(self._parts(features)):
            causes.append(self._without(mixture, causes))
        return causes

    def _without(self, mixture: Array, causes: list[Array]) -> Array:
        """The next cause: its mixture without what that has in common with the causes before it."""
        overlaps = self._overlaps[len(causes)]
        left = self._mixture_scales[len(causes)](mixture)
        for overlap, cause in zip(overlaps, causes, strict=True):
            left = left - overlap * cause
        rest: Array = left / np.sqrt(1 - sum(overlap**2 for overlap in overlaps))
        return rest

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

    def _mixed(self, parts: list[Array]) -> list[Array]:
        return [scale(part) @ SHARES for scale, part in zip(self._part_scales, parts, strict=True)]


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
