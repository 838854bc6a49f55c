"""Evidence with numbers chosen by hand: collected frames, markets and toy tables in which an effect is planted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mtbalance.reporting.audit.scenes import DIRECTIONS
from mtbalance.reporting.claims.evidence import Evidence
from mtbalance.reporting.claims.introduction import EARLIER
from mtbalance.reporting.claims.scenes import EARLIER as SCENE_METHODS
from mtbalance.reporting.collect import TYPES
from mtbalance.reporting.printed import everything

PRINTED = everything()
SEEDS = range(5)
NOISE = 1e-4
"""Standard deviation over seeds: far below any effect that is planted."""
VARIANTS = ("pub@moment_weights=ones", "pub@preconditioner=delayed", "pub@every=100")
VARIANTS += tuple(
    f"{name}@optimizer.name={optimizer}" for name in ("pub", "ls") for optimizer in ("adagrad", "rmsprop")
)
BALANCERS = ("ls", *EARLIER, "graddrop", "gradnorm", "moco", "multibalance", "pub", "pub_clippy", "pub_adatask")
BALANCERS += ("nash_gradient", "nash_update", "fixed@weights=[0.5,1.5]", "fixed@weights=[1.5,0.5]", *VARIANTS)
TASKS = ("click", "conversion")
RANKING = {"auc": 1, "ne": -1, "log_loss": -1}
SCENES = {metric: (task, sign) for task, metrics in DIRECTIONS.items() for metric, sign in metrics.items()}

Shifts = Mapping[str, float]
"""What is added to a method's numbers."""


def row(**facts: Any) -> dict[str, Any]:
    """A row of a collected frame; what is not said is the same for all runs."""
    same: dict[str, Any] = dict.fromkeys(TYPES, "")
    same |= {"experiment": "planted", "problem": "ranking", "dataset": "synthetic_a", "synthetic": True}
    same |= {"backbone": "mmoe", "balancer": "ls", "level": "loss", "rule": "equal", "manipulation": "none", "seed": 0}
    same |= {"shares": True, "selection": "valid", "device": "cpu", "status": "finished", "epoch": None}
    same |= {"split": "test", "better": 0, "unconverged": 0, "value": 0.0}
    made = same | facts
    return made | {"digest": "/".join(str(made[name]) for name in ("dataset", "backbone", "balancer", "seed"))}


def evidence(rows: Iterable[dict[str, Any]], **parts: Any) -> Evidence:
    """Evidence of these rows."""
    return Evidence(pd.DataFrame(list(rows), columns=list(TYPES)).astype(TYPES), PRINTED, **parts)


def cells(value: float, seeds: Sequence[int] = SEEDS, noise: float = NOISE, **facts: Any) -> list[dict[str, Any]]:
    """A row for each seed: ``value`` and a noise that belongs to the cell."""
    text = "/".join(str(facts.get(name, "")) for name in ("dataset", "backbone", "balancer", "task", "metric"))
    random = np.random.default_rng(sum(map(ord, text)))
    return [row(seed=seed, value=value + noise * random.standard_normal(), **facts) for seed in seeds]


def ranking(metric: str, shifts: Shifts, task: str = "", **facts: Any) -> Evidence:
    """Every method on MMOE and PLE, and STL (``alone``); ``shifts`` move a metric of one task, or of all."""
    rows = []
    backbones = [("mmoe", name) for name in BALANCERS] + [("ple", name) for name in BALANCERS] + [("single_task", "ls")]
    for backbone, balancer in backbones:
        shift = shifts.get("alone" if backbone == "single_task" else balancer, 0.0)
        run = {"backbone": backbone, "balancer": balancer, "shares": backbone != "single_task"} | facts
        for name, sign in RANKING.items():
            for one in TASKS:
                moved = shift if name == metric and task in ("", one) else 0.0
                rows += cells(0.7 + moved, metric=name, task=one, better=sign, **run)
        moved = shift if metric == "mean_auc" else 0.0
        rows += cells(0.7 + moved, metric="mean_auc", task="mean", **run)
    return evidence(rows)


def trade(shifts: Mapping[str, Shifts], metric: str = "auc") -> Evidence:
    """LS, MGDA and STL, whose numbers ``shifts`` move by task."""
    rows = []
    for name in ("ls", "mgda", "alone"):
        alone = name == "alone"
        run = {"backbone": "single_task" if alone else "mmoe", "balancer": "ls" if alone else name, "shares": not alone}
        for task in TASKS:
            shift = shifts.get(name, {}).get(task, 0.0)
            rows += cells(0.7 + shift, metric=metric, task=task, better=RANKING[metric], **run)
    return evidence(rows)


def scenes(shifts: Mapping[str, Shifts | float]) -> Evidence:
    """Every method on MTAN, and STL: each metric better by a share, ``shifts`` of all metrics or by metric."""
    rows = []
    methods = [*SCENE_METHODS, "ls", "pub", "pub_clippy", "pub_adatask"]
    for backbone, balancer in [("segnet", "ls"), *(("mtan", name) for name in methods)]:
        moved = shifts.get("alone" if backbone == "segnet" else balancer, 0.0)
        run = {"backbone": backbone, "balancer": balancer, "shares": backbone != "segnet", "problem": "scenes"}
        for metric, (task, sign) in SCENES.items():
            share = moved if isinstance(moved, float) else moved.get(metric, 0.0)
            value = 0.5 * (1 + sign * share)
            rows += cells(value, metric=metric, task=task, better=sign, dataset="synthetic_rooms", **run)
    return evidence(rows)


def cosines(metric: str, shifts: Shifts, base: float = 0.12) -> Evidence:
    """The methods of Table I in twelve groups whose level differs; ``shifts`` move one kind of cosine."""
    rows = []
    for number in range(4):
        for backbone in ("shared_bottom", "mmoe", "ple"):
            for balancer in ("ls", "mgda", "imtl_g", "nashmtl"):
                facts = {"dataset": f"synthetic_{number}", "backbone": backbone, "balancer": balancer, "split": "train"}
                for name, level in (("cosine_shared", base), ("cosine_task_specific", base + 0.02)):
                    value = level + 0.01 * number + (shifts.get(balancer, 0.0) if name == metric else 0.0)
                    rows += cells(value, metric=name, **facts)
    return evidence(rows)


def orders(reverse: Sequence[bool]) -> Evidence:
    """Four methods in each group, with AUC and Diff in opposite orders where ``reverse`` says so, else in the same."""
    rows = []
    for number, opposite in enumerate(reverse):
        for rank, balancer in enumerate(("ls", "mgda", "imtl_g", "nashmtl")):
            facts = {"dataset": f"synthetic_{number}", "balancer": balancer, "noise": 0.0}
            diff = 0.01 * (4 - rank if opposite else rank + 1)
            rows += cells(0.7 + 0.01 * rank, metric="mean_auc", task="mean", **facts)
            rows += cells(0.5, metric="cosine_task_specific", split="train", **facts)
            rows += cells(0.5 - diff, metric="cosine_shared", split="train", **facts)
    return evidence(rows)


def speeds(qps: Shifts, width: float = 0.01) -> Evidence:
    """Relative throughput of every method on MMOE and PLE: ``qps``, or 0.6, with quartiles ``width`` to both sides."""
    rows = []
    for backbone in ("mmoe", "ple"):
        for balancer in BALANCERS:
            value = 1.0 if balancer == "ls" else qps.get(balancer, qps.get("others", 0.6))
            margin = 0.0 if balancer == "ls" else width
            for ending, number in (("", value), ("_low", value - margin), ("_high", value + margin)):
                name = f"relative_throughput{ending}"
                rows.append(row(backbone=backbone, balancer=balancer, metric=name, value=number, split="train"))
    return evidence(rows)


def market(metric: str, lift: float, noise: float = NOISE) -> Evidence:
    """The expected lift of PUB's ``metric``, by seed, and one A/B test."""
    random = np.random.default_rng(0)
    same = {"experiment": "planted", "dataset": "synthetic_a", "backbone": "mmoe", "balancer": "pub", "kind": "method"}
    rows = [
        same | {"part": "expected", "metric": metric, "seed": seed, "expected": lift + noise * random.standard_normal()}
        for seed in SEEDS
    ]
    test = {"part": "lift", "metric": metric, "span": "to date", "day": 7, "share": 0.5, "lift": lift}
    rows.append(same | test | {"low": lift - 0.01, "high": lift + 0.01, "seed": 0})
    return evidence([], market=pd.DataFrame(rows))


def toy(reached: Mapping[str, int]) -> Evidence:
    """A toy table in which each method reaches the optimum from so many of five starts."""
    rows = [
        {"method": name, "start": start, "reached": start < full}
        for name, full in reached.items()
        for start in range(5)
    ]
    return evidence([], toy=pd.DataFrame(rows))
