"""A small market: candidates whose true probabilities are drawn, and models of them that are more or less wrong."""

from __future__ import annotations

import numpy as np

from mtbalance.studies.market.candidates import Candidates

SEARCHES, EACH = 300, 4


def candidates(searches: int = SEARCHES, each: int = EACH, seed: int = 0) -> Candidates:
    """``searches`` with ``each`` candidates. Clicks have a probability of about .3, a third of them convert."""
    random = np.random.default_rng(seed)
    rows = searches * each
    click = random.beta(1.5, 3.5, rows)
    conversion = click * random.beta(2.0, 4.0, rows)
    drawn = random.random(rows)
    labels = np.stack([drawn < click, drawn < conversion], axis=1).astype(np.int8)
    return Candidates(np.repeat(np.arange(searches), each), labels, click, conversion, random.lognormal(0, 0.5, rows))


def wrong(true: Candidates, spread: float, seed: int) -> np.ndarray:
    """Predicted conversion probabilities with errors of the log of this standard deviation."""
    errors = np.random.default_rng(seed).normal(0, spread, len(true.price))
    return np.clip(true.conversion * np.exp(errors), 1e-6, 1 - 1e-6)
