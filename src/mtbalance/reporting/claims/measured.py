"""Checks on single numbers: throughput, values against a bound, the simulated market, the toy problem."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

import pandas as pd

from mtbalance import places
from mtbalance.reporting.claims.checks import all_ahead, outcome, worst
from mtbalance.reporting.claims.claim import Check, Outcome, Verdict
from mtbalance.reporting.claims.evidence import NAMED_GROUP, Cell, Evidence, Place
from mtbalance.reporting.claims.paired import Comparison, comparison, runs_at
from mtbalance.reporting.market import part, whole
from mtbalance.reporting.names import SETTINGS, backbone_name, balancer_name, heading_of
from mtbalance.reporting.value import QPS

ENDS = ((f"{QPS}_low", f"{QPS}_high"), (QPS, QPS), (f"{QPS}_high", f"{QPS}_low"))
"""The numbers of two methods whose ratio is the lowest, the middle and the highest one."""


def faster(method: str, than: Sequence[str], factor: float = 1.0, backbones: Sequence[str] = ()) -> Check:
    """A step of ``method`` does at least ``factor`` times as many samples a second as one of each of ``than``.

    Held if that is so from quartile to quartile of both over blocks of steps, and not if it is so nowhere between them.
    """

    def check(evidence: Evidence) -> Outcome | None:
        rows = evidence.final[evidence.final["metric"].isin([QPS, f"{QPS}_low", f"{QPS}_high"])]
        rows = rows[rows["backbone"].isin(list(backbones))] if backbones else rows
        verdicts, texts, trace, used = [], [], [], []
        several = rows["experiment"].nunique() > 1
        for (experiment, dataset, backbone), timed in rows.groupby(NAMED_GROUP, sort=False):
            names = timed["balancer"].str.removesuffix(SETTINGS)
            table = timed.assign(name=names).drop_duplicates(["name", "metric"])
            table = table.pivot(index="name", columns="metric", values="value")
            for other in than:
                if method in table.index and other in table.index:
                    own, theirs = table.loc[method], table.loc[other]
                    low, ratio, high = (own[a] / theirs[b] for a, b in ENDS)
                    verdicts.append(
                        Verdict.HELD if low >= factor else Verdict.FAILED if high < factor else Verdict.OPEN
                    )
                    where = f"{experiment}, {backbone_name(backbone)}" if several else backbone_name(backbone)
                    text = f"{where}, {balancer_name(method)} over {balancer_name(other)}:"
                    texts.append((ratio, f"{text} {ratio:.2f} [{low:.2f}, {high:.2f}]"))
                    trace.append(
                        {"file": places.METRICS.format(experiment=experiment), "dataset": dataset, "backbone": backbone}
                        | {"metric": QPS, "method": method, "other": other, "ratio": ratio, "low": low, "high": high}
                    )
                    used.append(timed.iloc[0])
        if not verdicts:
            return None
        shown = [text for _, text in sorted(texts)]
        if len(shown) > 3:
            shown = [f"{len(shown)} ratios from", shown[0], "to", shown[-1]]
        evidenced = ("; " if len(texts) <= 3 else " ").join(shown)
        devices = sorted({str(row["device"]) for row in used})
        return Outcome(
            worst(verdicts),
            f"relative QPS, median [quartiles]: {evidenced}; at least {factor:.3g} wanted; {', '.join(devices)}",
            "",
            tuple(dict.fromkeys(heading_of(row) for row in used)),
            any(bool(row["synthetic"]) for row in used),
            tuple(trace),
        )

    return check


def value(method: str, metric: str, sign: int, bound: float) -> Check:
    """``metric`` of ``method`` is above (``sign`` 1) or below (-1) ``bound`` on every data set and backbone."""

    def check(evidence: Evidence) -> Outcome | None:
        made: dict[Hashable, Comparison] = {}
        for place, methods in evidence.cells.get(metric, {}).items():
            if own := methods.get(method):
                distances = {seed: sign * (number - bound) for seed, number in own.values.items()}
                one = comparison(place, method, f"{bound:g}", metric, own, distances, sign)
                made.setdefault(runs_at(place, own), one)
        found = list(made.values())
        return outcome(found, all_ahead(found, evidence.level), evidence.level)

    return check


def lifts(method: str, metric: str) -> Check:
    """``method`` has a positive expected lift of ``metric`` in every simulated market, over seeds."""

    def check(evidence: Evidence) -> Outcome | None:
        if evidence.market.empty:
            return None
        found, tests = [], []
        for experiment, frame in evidence.market.groupby("experiment", sort=False):
            rows = part(frame, "expected", balancer=method, kind="method", metric=metric)
            for (dataset, backbone), cell in rows.groupby(["dataset", "backbone"], sort=False):
                lift = dict(zip(map(int, cell["seed"]), 100 * cell["expected"], strict=True))
                place, own = Place(str(experiment), dataset, backbone, ""), Cell(lift, 1, True, True, False, 0)
                found.append(comparison(place, method, evidence.baseline, metric, own, lift, 1, relative=True))
                total = whole(frame, balancer=method, kind="method", metric=metric, dataset=dataset, backbone=backbone)
                row = total.sort_values("share").iloc[-1]
                bounds = ", ".join(f"{100 * row[name]:+.2f}" for name in ("low", "high"))
                tests.append(f"{backbone_name(backbone)} {100 * row['lift']:+.2f} % [{bounds}]")
        judged = outcome(found, all_ahead(found, evidence.level), evidence.level)
        if judged is None:
            return None
        text = f"expected lift of {metric.upper()}: {judged.evidence}; one simulated A/B test: {'; '.join(tests)}"
        files = [{"file": places.MARKET.format(experiment=one.experiment)} for one in found]
        trace = tuple(record | file for record, file in zip(judged.trace, files, strict=True))
        return replace(judged, evidence=text, trace=trace)

    return check


def reaches(methods: Sequence[str], all_starts: bool) -> Check:
    """Each of ``methods`` ends at the balanced optimum of the toy problem from all starts; or none of them does."""

    def check(evidence: Evidence) -> Outcome | None:
        rows = evidence.toy[evidence.toy["method"].isin(list(methods))] if len(evidence.toy) else pd.DataFrame()
        if rows.empty:
            return None
        counts = rows.groupby("method", sort=False)["reached"].agg(["sum", "count"])
        full = counts["sum"] == counts["count"]
        holds = full.all() if all_starts else not full.any()
        texts = [f"{balancer_name(str(name))} {row['sum']} of {row['count']} starts" for name, row in counts.iterrows()]
        trace = {"file": f"{places.TOY_REPORT}.csv", "column": "reached", "methods": list(methods)}
        verdict = Verdict.HELD if holds else Verdict.FAILED
        return Outcome(verdict, "; ".join(texts), data=("toy problem",), trace=(trace,))

    return check
