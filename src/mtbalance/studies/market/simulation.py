"""The simulated A/B tests of an experiment: every balancer against the baseline on the same backbone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.random import Generator, SeedSequence, default_rng

from mtbalance.errors import UserError
from mtbalance.studies.market.candidates import Array, Candidates, Rows
from mtbalance.studies.market.expected import Expected, expected, visitors_needed
from mtbalance.studies.market.lift import Sums, lift, sums
from mtbalance.studies.market.sequential import fixed_radius, sequential_radius
from mtbalance.studies.market.trials import aa_trials
from mtbalance.studies.market.visitors import (
    CONTROL,
    TREATMENT,
    arms,
    day_shifts,
    identifiers,
    outcomes,
    rates,
)

METRICS = ("rpm", "ctr")
TRUTH = "truth"
ARMS = {TREATMENT: "treatment", CONTROL: "control"}


class Settings(NamedTuple):
    """The sizes of a market."""

    days: int = 7
    """Days of an A/B test, as in Table VI."""
    each: int = 50
    """Visitors who come with the same search."""
    shares: tuple[float, ...] = (0.05, 0.2, 0.5)
    """Shares of the visitors in each arm, as section VI-D says; the last is the largest."""
    level: float = 0.05
    """Level of tests and intervals."""
    trials: int = 1000
    """A/A trials."""
    trial_days: int = 28
    trial_each: int = 5
    """Visitors with the same search in an A/A trial."""
    seed: int = 0


SETTINGS = Settings()


class Model(NamedTuple):
    """The name of one trained model."""

    backbone: str
    balancer: str
    seed: int


Predictions = Mapping[Model, Array]
"""Predicted conversion probabilities [rows] of each model."""


def simulate(
    dataset: str, candidates: Candidates, predictions: Predictions, baseline: str, settings: Settings
) -> pd.DataFrame:
    """All A/B tests on one data set, as rows of four parts; columns that a part does not have are missing.

    - ``arm``: impressions, clicks, conversions and revenue by test, share, arm and day;
    - ``lift``: relative change of a metric by test, share, and day (``span`` is ``day``) or all days up to it (``to
      date``), with the interval of one look (``low``, ``high``) and of the sequential test, and the expected change;
    - ``expected``: the exact change over all days for every seed, and the visitors that a test needs;
    - ``a/a``: alarms of :func:`aa_trials` for each backbone's control.

    ``kind`` says what is compared with the baseline: a ``method``; the baseline ``retrained`` with another seed; or the
    ``truth``, which ranks by the true probabilities, so that no model can do better. A/B tests are of the first seed.
    Raises ``UserError`` if no backbone has the baseline and another balancer.
    """
    market = _Market(dataset, candidates, settings)
    backbones = dict.fromkeys(model.backbone for model in predictions)
    parts = [part for backbone in backbones for part in _of_backbone(market, backbone, predictions, baseline)]
    if not parts:
        raise UserError(f"a market needs {baseline} and another balancer on one backbone; {dataset} has none")
    return pd.concat(parts, ignore_index=True).assign(dataset=dataset, level=settings.level)


def _of_backbone(market: _Market, backbone: str, predictions: Predictions, baseline: str) -> Iterator[pd.DataFrame]:
    models = [model for model in predictions if model.backbone == backbone]
    controls = [model for model in models if model.balancer == baseline]
    others = [model for model in models if model.balancer != baseline]
    if not controls or not others:
        return
    by_seed = {model.seed: model for model in controls}
    pairs = [(model, by_seed[model.seed], "method") for model in others if model.seed in by_seed]
    pairs += [(later, earlier, "retrained") for earlier, later in pairwise(controls)]
    pairs += [(Model(backbone, TRUTH, control.seed), control, "truth") for control in controls]
    tested: set[str] = set()
    for treatment, control, kind in pairs:
        values = market.candidates.conversion if kind == "truth" else predictions[treatment]
        names: dict[str, str | int] = {"backbone": backbone, "balancer": treatment.balancer, "kind": kind}
        names |= {"seed": treatment.seed, "control_seed": control.seed}
        test = _Test(market, treatment, market.candidates.shown(values), market.candidates.shown(predictions[control]))
        yield test.expected().assign(**names)
        if treatment.balancer not in tested:
            tested.add(treatment.balancer)
            yield from (part.assign(**names) for part in test.run())
    yield market.aa(controls[0], predictions[controls[0]])


class _Market:
    """What all tests on a data set share: visitors, their arms, and days."""

    def __init__(self, dataset: str, candidates: Candidates, settings: Settings) -> None:
        self.dataset, self.candidates, self.settings = dataset, candidates, settings
        self.shifts = day_shifts(max(settings.days, settings.trial_days), self.random("days"))
        searches = len(np.unique(candidates.search))
        self.visitors = identifiers(searches, settings.each)
        self.trial_visitors = identifiers(searches, settings.trial_each)
        given = [arms(self.visitors, share, settings.seed) for share in settings.shares]
        self.largest = given[-1]
        self.members = np.stack([of_share == arm for of_share in given for arm in ARMS]).astype(float)
        cells = product(settings.shares, ARMS.values(), range(1, settings.days + 1))
        self.cells = pd.DataFrame(cells, columns=["share", "arm", "day"])

    def random(self, *names: object) -> Generator:
        """A generator of its own for each use, so that one more test does not change the others."""
        digest = blake2b("/".join(map(str, (self.dataset, *names))).encode(), digest_size=8).digest()
        return default_rng(SeedSequence([self.settings.seed, int.from_bytes(digest)]))

    def aa(self, control: Model, predicted: Array) -> pd.DataFrame:
        """A/A trials of a control."""
        rows = self.candidates.shown(predicted)[self.trial_visitors // self.settings.trial_each]
        shifts = self.shifts[: self.settings.trial_days]
        found = outcomes(self.candidates, rows, shifts, self.random("a/a", *control))
        random = self.random("arms", *control)
        trials = aa_trials(self.trial_visitors, found, self.settings.trials, self.settings.level, random)
        names = {"backbone": control.backbone, "balancer": control.balancer, "control_seed": control.seed}
        return trials.assign(part="a/a", visitors=len(self.trial_visitors), **names)


class _Test:
    """One A/B test: what each arm shows to each search."""

    def __init__(self, market: _Market, treatment: Model, shown: Rows, control_shown: Rows) -> None:
        self.market, self.treatment, self.shown, self.control_shown = market, treatment, shown, control_shown
        self.shifts = market.shifts[: market.settings.days]
        self.exact = {metric: (self._exact(shown, metric), self._exact(control_shown, metric)) for metric in METRICS}

    def _exact(self, shown: Rows, metric: str) -> Expected:
        candidates = self.market.candidates
        return expected(rates(candidates, shown, self.shifts), candidates.price[shown], metric)

    def expected(self) -> pd.DataFrame:
        """The exact lift over all days, and the visitors that a test needs, by metric."""
        level = self.market.settings.level
        lifts = [ours.whole / theirs.whole - 1 for ours, theirs in self.exact.values()]
        needed = [visitors_needed(ours, theirs, level) for ours, theirs in self.exact.values()]
        return pd.DataFrame({"metric": METRICS, "expected": lifts, "needed": needed}).assign(part="expected")

    def run(self) -> Iterator[pd.DataFrame]:
        """Draw what the visitors of both arms do: the parts ``arm`` and ``lift``."""
        market, settings = self.market, self.market.settings
        search = market.visitors // settings.each
        rows = np.where(market.largest == TREATMENT, self.shown[search], self.control_shown[search])
        found = outcomes(market.candidates, rows, self.shifts, market.random(*self.treatment))
        counts = {name: (market.members @ values).ravel() for name, values in found._asdict().items()}
        visitors = market.members.sum(axis=1).repeat(settings.days)
        yield market.cells.assign(part="arm", visitors=visitors, **counts)
        for metric, top in (("rpm", found.revenue), ("ctr", found.clicks)):
            ours, theirs = self.exact[metric]
            whole = np.full(len(self.shifts), ours.whole / theirs.whole - 1)
            yield self._lifts(top, found.impressions).assign(
                metric=metric, span="day", expected=np.tile(ours.rate / theirs.rate - 1, len(settings.shares))
            )
            yield self._lifts(np.cumsum(top, axis=1), np.cumsum(found.impressions, axis=1)).assign(
                metric=metric, span="to date", expected=np.tile(whole, len(settings.shares))
            )

    def _lifts(self, top: Array, bottom: Array) -> pd.DataFrame:
        """Lift and intervals of a ratio by share and day."""
        level, totals = self.market.settings.level, sums(self.market.members, top, bottom)
        change = lift(*(Sums(*(part[first::2] for part in totals)) for first in (0, 1)))
        once, always = fixed_radius(change.variance, level), sequential_radius(change.variance, level)
        bounds = {"lift": change.log, "low": change.log - once, "high": change.log + once}
        bounds |= {"sequential_low": change.log - always, "sequential_high": change.log + always}
        cells = self.market.cells.drop_duplicates(["share", "day"])[["share", "day"]]
        return cells.assign(part="lift", **{name: np.expm1(logs.ravel()) for name, logs in bounds.items()})
