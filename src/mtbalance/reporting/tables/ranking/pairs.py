"""Whether the method with the smaller Diff has the higher AUC: Figure 2 of the PUB paper, with tests.

The counts and chi-square are as the paper has them; the tests below respect how the pairs depend on each other.
"""

from __future__ import annotations

import math

import pandas as pd

from mtbalance.reporting import captions
from mtbalance.reporting.formats import MISSING, counted, decimal
from mtbalance.reporting.layout import Cell, Group, Row, Table
from mtbalance.reporting.pairs import (
    FEW,
    MOST_METHODS,
    READINGS,
    RESAMPLES,
    PairTests,
    method_means,
    pair_tests,
    power,
)
from mtbalance.reporting.printed import everything
from mtbalance.reporting.value import GROUP

SHARE = "share of reverse pairs"


def tabulate(frame: pd.DataFrame, title: str, baseline: str, significance: float) -> tuple[Table, pd.DataFrame]:
    """The table to print, and its numbers."""
    means = method_means(frame)
    tests = {reading: pair_tests(means, reading) for reading in READINGS}
    texts = {reading: _texts(found) for reading, found in tests.items()}
    names = list(next(iter(texts.values())))
    printed = f"{decimal(everything().says('reverse_percent'), 2)} %"
    rows = tuple(
        Row(
            name, "", (tuple(Cell(texts[reading][name], beside=printed if name == SHARE else "") for reading in texts),)
        )
        for name in names
    )
    table = Table(
        title=f"{title}: the smaller Diff and the higher AUC",
        caption=_caption(frame, means, next(iter(tests.values())), baseline),
        beside="printed",
        groups=(Group("pairs of methods on the same data set and model", tuple(READINGS.values())),),
        rows=rows,
        first="count or test",
    )
    numbers = pd.DataFrame([{"reading": reading, **_numbers(found)} for reading, found in tests.items()])
    return table, numbers


def _texts(tests: PairTests) -> dict[str, str]:
    """The lines of the table, by their names."""
    (both, reverse), (opposite, neither) = tests.counts.tolist()
    return {
        "ordered pairs: AUC lower, Diff lower": str(both),
        "ordered pairs: AUC lower, Diff higher": str(reverse),
        "ordered pairs: AUC higher, Diff lower": str(opposite),
        "ordered pairs: AUC higher, Diff higher": str(neither),
        "chi-square as printed (each pair twice)": f"{decimal(tests.chi_square, 2)} ({_p(tests.chi_square_p)})",
        "the same with Yates' correction": f"{decimal(tests.yates, 2)} ({_p(tests.yates_p)})",
        SHARE: f"{decimal(100 * tests.share, 2)} % ({tests.reverse} of {tests.pairs}, each pair once)",
        "95 % interval, whole groups drawn": _interval(tests),
        "pairs independent: exact binomial": _p(tests.binomial_p),
        "groups independent: Diff permuted in each": _p(tests.within_groups_p),
        "methods independent: methods permuted": "not possible" if pd.isna(tests.methods_p) else _p(tests.methods_p),
    }


def _interval(tests: PairTests) -> str:
    if math.isnan(tests.low):
        return MISSING
    return f"{decimal(100 * tests.low, 1)} to {decimal(100 * tests.high, 1)} %"


def _p(value: float) -> str:
    return MISSING if math.isnan(value) else f"p = {value:.2g}"


def _not_permuted(methods: int) -> str:
    return f" It needs the same methods in all groups, and at most {MOST_METHODS}; here are {methods}."


def _too_short(groups: int) -> str:
    if groups >= FEW:
        return ""
    if groups == 1:
        return " One group has none."
    return (
        f" Of {groups} groups it is too short: simulated without an effect, an interval of 2 groups has the true share"
        " in two of three cases, and one of 8 in nine of ten."
    )


def _alike(means: pd.DataFrame) -> bool:
    """True if both readings of Diff order the methods of each group in the same way."""
    ranks = means.groupby(GROUP)[list(READINGS)].rank()
    return bool((ranks.nunique(axis=1) == 1).all())


def _numbers(tests: PairTests) -> dict[str, float]:
    counts = dict(zip(("lower_lower", "lower_higher", "higher_lower", "higher_higher"), tests.counts.flat, strict=True))
    rest = {name: value for name, value in tests._asdict().items() if name != "counts"}
    return counts | rest | {"share": tests.share}


def _caption(frame: pd.DataFrame, means: pd.DataFrame, tests: PairTests, baseline: str) -> tuple[str, ...]:
    groups, methods = means[GROUP].drop_duplicates(), means["balancer"].nunique()
    smallest = f"{1 / math.factorial(methods):.2g}" if methods <= MOST_METHODS else ""
    return (
        "Diff: the distance between the cosine of gradient and update on task-specific parameters and that on shared"
        " ones, averaged over the steps up to the best epoch and over seeds. Equation 1 of the PUB paper (arXiv"
        " 2410.05806) is lost in print: both readings are shown. Reverse: the smaller Diff has the higher mean AUC.",
        f"{counted(len(groups), 'group')} (data set and backbone), {counted(methods, 'method')}. The paper counts each"
        " pair twice, which makes its table symmetric and its chi-square twice as large; its tests take pairs as"
        " independent.",
        "The three last lines assume less and less: that pairs are independent, that groups are, that methods are. A"
        " method that is better and has a smaller Diff for reasons of its own shows it in every group; only the last"
        " line allows for that." + (f" Its p cannot be below {smallest}." if smallest else _not_permuted(methods)),
        *(["Both readings order all pairs alike here, so that their numbers are the same."] if _alike(means) else []),
        f"Interval: percentiles of {RESAMPLES} bootstrap samples of whole groups, seed 0.{_too_short(len(groups))}",
        f"Power: with {tests.pairs} independent pairs the binomial test would find a true share of 67 % with"
        f" probability {decimal(power(tests.pairs, 0.67), 2)}; dependent pairs are found less often.",
        f"Not corrected for the {len(READINGS)} readings.",
        captions.seeds(frame),
        captions.failures(frame, baseline),
    )
