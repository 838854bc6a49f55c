"""Checks on paired comparisons. Each is made for a claim and gives its outcome, or None where the rows are missing.

All have one logic. A comparison is *seen* if its two-sided paired t-test has p at most the level. A claim about all of
several comparisons held if each is seen in its favor: none needs a correction, since all must agree. It did not hold
if one is seen against it after Holm's correction, since any of many could be by chance. Otherwise the numbers do not
distinguish. So if nothing differs, either verdict comes up at most as often as the level says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from mtbalance.reporting.claims.claim import Check, Outcome, Verdict
from mtbalance.reporting.claims.evidence import Evidence
from mtbalance.reporting.claims.paired import Comparison, compare, over_groups
from mtbalance.reporting.formats import counted
from mtbalance.reporting.names import balancer_name, dataset_heading
from mtbalance.reporting.power import detectable
from mtbalance.reporting.statistics import holm

SHOWN = 3
"""Comparisons that are printed one by one, at most."""
Found = Sequence[Comparison]


def better(
    methods: Sequence[str],
    than: Sequence[str],
    metric: str,
    *,
    tasks: Sequence[str] = (),
    backbones: Sequence[str] = (),
    by: float = 0.0,
    relative: bool = False,
) -> Check:
    """Each of ``methods`` is ahead of each of ``than`` by more than ``by`` in every group; below 0 allows harm."""

    def check(evidence: Evidence) -> Outcome | None:
        found = []
        for name in methods:
            found += compare(
                evidence, name, than, metric,
                tasks=tasks, backbones=backbones, offset=by, relative=relative,
            )  # fmt: skip
        return outcome(found, all_ahead(found, evidence.level), evidence.level)

    return check


def better_over_groups(methods: Sequence[str], than: str, metric: str, sign: int) -> Check:
    """Each of ``methods`` is on the side of ``sign`` of ``than``, with data sets and backbones as pairs."""

    def check(evidence: Evidence) -> Outcome | None:
        found = [each for method in methods for each in over_groups(evidence, method, [than], metric, sign)]
        return outcome(found, all_ahead(found, evidence.level), evidence.level)

    return check


def same_over_groups(methods: Sequence[str], than: str, metric: str, margin: float) -> Check:
    """None of ``methods`` differs from ``than``. Held: each lies within ``margin`` by two one-sided tests."""

    def check(evidence: Evidence) -> Outcome | None:
        def compared(sign: int, offset: float) -> list[Comparison]:
            return [each for name in methods for each in over_groups(evidence, name, [than], metric, sign, offset)]

        found = compared(1, 0.0)
        verdict = all_ahead(found, evidence.level)
        if verdict is not Verdict.UNTESTED:
            # Of one side of each test, so at twice the level of a two-sided one.
            inside = [all_ahead(compared(sign, -margin), 2 * evidence.level) is Verdict.HELD for sign in (1, -1)]
            differs = any(p <= evidence.level for p in _holm(found))
            verdict = Verdict.FAILED if differs else Verdict.HELD if all(inside) else Verdict.OPEN
        return outcome(found, verdict, evidence.level)

    return check


def not_always(check: Check) -> Check:
    """The contrary of a claim about all comparisons: held if that did not hold."""
    contrary = {Verdict.HELD: Verdict.FAILED, Verdict.FAILED: Verdict.HELD}

    def turned(evidence: Evidence) -> Outcome | None:
        found = check(evidence)
        if found is None:
            return None
        return replace(found, verdict=contrary.get(found.verdict, found.verdict))

    return turned


def trades(methods: Sequence[str], than: str, metric: str) -> Check:
    """One of ``methods`` is ahead of ``than`` in a task and behind in another, on the same backbone."""

    def check(evidence: Evidence) -> Outcome | None:
        found = [each for method in methods for each in compare(evidence, method, [than], metric)]
        adjusted = _holm(found)
        signs: dict[tuple[str, ...], list[tuple[float, float, float]]] = {}
        for each, p in zip(found, adjusted, strict=True):
            key = (each.experiment, each.dataset, each.backbone, each.method)
            signs.setdefault(key, []).append((float(np.sign(each.test.difference)), p, each.test.p))
        both = {-1.0, 1.0}
        if any(both <= {sign for sign, p, _ in tasks if p <= evidence.level} for tasks in signs.values()):
            verdict = Verdict.HELD
        elif all(_one_way(tasks, evidence.level) for tasks in signs.values()):
            verdict = Verdict.FAILED
        else:
            verdict = Verdict.OPEN
        return outcome(found, _unless_untested(found, verdict), evidence.level)

    return check


def _one_way(tasks: Sequence[tuple[float, float, float]], level: float) -> bool:
    """True if all tasks are seen to go the same way."""
    return len({sign for sign, *_ in tasks}) == 1 and all(p <= level for *_, p in tasks)


def ahead_in(
    methods: Sequence[str], than: Sequence[str], metrics: Sequence[str], holds: Callable[[int, int], bool]
) -> Check:
    """The number of comparisons in which the methods are ahead is such that ``holds(number, of all)``.

    The number lies between those that are seen ahead and those that are not seen behind, both after Holm's correction.
    Held if the sentence is true of all numbers in between, and not if of none. It is judged in every experiment.
    """

    def check(evidence: Evidence) -> Outcome | None:
        found = [each for method in methods for metric in metrics for each in compare(evidence, method, than, metric)]
        verdicts = []
        for name in dict.fromkeys(each.experiment for each in found):
            part = [each for each in found if each.experiment == name]
            seen = _seen(part, evidence.level)
            ahead, behind = sum(value > 0 for value in seen), sum(value < 0 for value in seen)
            true = [holds(number, len(part)) for number in range(ahead, len(part) - behind + 1)]
            verdicts.append(Verdict.HELD if all(true) else Verdict.OPEN if any(true) else Verdict.FAILED)
        return outcome(found, _unless_untested(found, worst(verdicts)), evidence.level)

    return check


def best_in(method: str, than: Sequence[str], metrics: Sequence[str], least: int) -> Check:
    """``method`` is ahead of all of ``than`` in at least ``least`` of the ``metrics``, in every experiment.

    The number lies between the metrics in which that is seen and those in which it is not seen to be false, each at the
    level divided by the number of metrics.
    """

    def check(evidence: Evidence) -> Outcome | None:
        found = [each for metric in metrics for each in compare(evidence, method, than, metric)]
        verdicts = []
        for name in dict.fromkeys(each.experiment for each in found):
            own = [each for each in found if each.experiment == name]
            parts = [[each for each in own if each.metric == metric] for metric in metrics]
            each_metric = [all_ahead(part, evidence.level / len(metrics)) for part in parts if part]
            sure, lost = (sum(one is verdict for one in each_metric) for verdict in (Verdict.HELD, Verdict.FAILED))
            held, possible = sure >= least, len(metrics) - lost >= least
            verdicts.append(Verdict.HELD if held else Verdict.OPEN if possible else Verdict.FAILED)
        return outcome(found, _unless_untested(found, worst(verdicts)), evidence.level)

    return check


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict on a claim about all of several parts."""
    for verdict in (Verdict.FAILED, Verdict.UNTESTED, Verdict.OPEN):
        if verdict in verdicts:
            return verdict
    return Verdict.HELD


def all_ahead(found: Found, level: float) -> Verdict:
    """The verdict on a claim that every difference is above its offset."""
    if any(difference < 0 for difference in _seen(found, level)):
        return Verdict.FAILED
    held = all(each.test.p <= level and each.test.difference > 0 for each in found)
    return _unless_untested(found, Verdict.HELD if held else Verdict.OPEN)


def _unless_untested(found: Found, verdict: Verdict) -> Verdict:
    return Verdict.UNTESTED if all(each.test.untested for each in found) else verdict


def _holm(found: Found) -> list[float]:
    return holm([each.test.p for each in found])


def _seen(found: Found, level: float) -> list[float]:
    """The differences that are seen, after Holm's correction."""
    return [each.test.difference for each, p in zip(found, _holm(found), strict=True) if p <= level]


def outcome(found: Found, verdict: Verdict, level: float) -> Outcome | None:
    """The outcome of comparisons; None if there are none."""
    if not found:
        return None
    data = dict.fromkeys(dataset_heading(each.dataset, each.synthetic) for each in found)
    return Outcome(
        verdict,
        _evidence(found, level),
        sees(found, level),
        tuple(data),
        any(each.synthetic for each in found),
        tuple(each.record(p) for each, p in zip(found, _holm(found), strict=True)),
    )


def _evidence(found: Found, level: float) -> str:
    several = len({each.experiment for each in found}) > 1
    texts = [each.text(several) for each in found]
    if len(found) > SHOWN:
        one = len({each.method for each in found}) == 1
        seen = _seen(found, level)
        above, below = (sum(sign * each.test.difference > 0 for each in found) for sign in (1, -1))
        count = (
            f"{balancer_name(found[0].method) if one else 'the methods'}: ahead in {above} of {len(found)} comparisons"
        )
        count += f" ({sum(value > 0 for value in seen)} seen), behind in {below}"
        count += f" ({sum(value < 0 for value in seen)} seen; both after Holm's correction)"
        order = sorted((each for each in found if each.test.pairs), key=lambda each: each.test.difference)
        texts = [count, *(f"{name}: {order[at].text(several)}" for name, at in (("least", 0), ("most", -1)) if order)]
    failed = sum(each.failed for each in {(e.experiment, e.dataset, e.backbone, e.method): e for e in found}.values())
    return "; ".join(texts) + (f"; {counted(failed, 'run')} failed" if failed else "")


def sees(found: Found, level: float) -> str:
    """The true difference that one of the comparisons finds with 80 % power, at the median spread of all."""
    tested = [each for each in found if not each.test.untested]
    if not tested:
        return ""
    size = float(np.median([detectable(each.spread, each.test.pairs, level) for each in tested]))
    pairs = min(each.test.pairs for each in tested)
    return f"{size:.2g}{' %' if tested[0].relative else ''} (n = {pairs})" if math.isfinite(size) else ""
