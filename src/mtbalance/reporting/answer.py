"""The answer: what an experiment's numbers say, in a few sentences, the same on the page and in the terminal."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from mtbalance.reporting import captions, convergence, ranks, references
from mtbalance.reporting.comparison import compare
from mtbalance.reporting.contrasts import against_baseline
from mtbalance.reporting.derived import with_scores
from mtbalance.reporting.formats import MOST_NAMED, counted, decimal
from mtbalance.reporting.names import METRICS, backbone_name, balancer_name, data_named
from mtbalance.reporting.reference_errors import against
from mtbalance.reporting.resolution import most_pairs, resolution
from mtbalance.reporting.score import SCORES, of_scores, score_of, score_titles
from mtbalance.reporting.value import METHOD, QPS, RUN, trained

DELTA_M = "Δm against STL in percent (lower is better)"
LOW = {"delta_m"}
"""Scores that are better low."""
SUBJECTS = ("pub", "multibalance")
"""The balancers of the two papers: a sentence each, where they were run."""
SIGNIFICANT = 0.05


def answer(frame: pd.DataFrame, title: str, baseline: str) -> list[str]:
    """A few entries of a sentence or more about an experiment, each computed from its collected metrics.

    What was run, and what to try for runs that were best at once; the best balancer of each backbone; mean ranks, if
    there are several data sets; PUB and MultiBalance against the baseline, with the interval of the difference and the
    cost of a step; and how small a difference these seeds can show. The score is that by which epochs are chosen, such
    as the mean AUC, and Δm where STL was run on the same scenes. With one seed the scores' range stands for the best
    and its difference, since nothing can be told from chance. An experiment that is only timed has the cost of a step.
    """
    sentences = [_what_was_run(frame, title)]
    if trained(frame).empty:
        return [*sentences, *_costs(frame, baseline)]
    frame = with_scores(frame[frame["epoch"].isna()])  # a tenth of all rows, which the sentences look through
    score = ranking_score(frame)
    if score is None:
        return sentences
    cells = compare(of_scores(frame), [score] if score in LOW else list(SCORES), baseline)
    named = DELTA_M if score in LOW else score_titles(frame)
    reached = resolution(frame, cells, baseline, SIGNIFICANT)
    if most_pairs(cells, baseline) < 2:
        return [*sentences, *_range(frame, cells, named, baseline), *reached]
    best, ranked = _best(frame, cells, named, baseline), ranks.sentences(frame, baseline, SIGNIFICANT)
    return [*sentences, best, *ranked, *_subjects(frame, cells, baseline), *captions.edges(frame), *reached]


def ranking_score(frame: pd.DataFrame) -> str | None:
    """The metric that methods are ranked by, in a table with scores; None for scenes without STL, and for timings."""
    return next((name for name in (score_of(frame), "delta_m") if (frame["metric"] == name).any()), None)


def _what_was_run(frame: pd.DataFrame, title: str) -> str:
    runs = frame.drop_duplicates(RUN)
    failed = int((runs["status"] != "finished").sum())
    text = (
        f"{title}: {counted(runs['balancer'].nunique(), 'method')}, {counted(runs['backbone'].nunique(), 'backbone')}"
    )
    if trained(frame).empty:
        return f"{text}, timed on {data_named(frame)}; nothing was trained."
    text += f", {counted(runs['seed'].nunique(), 'seed')} on {data_named(frame)}"
    text += f"; {counted(failed, 'run')} of {len(runs)} failed" if failed else ""
    unfinished = convergence.unfinished(frame)
    text += f"; {unfinished} of {len(runs)} runs may not have converged." if unfinished else "."
    chance = convergence.no_better_than_a_constant(frame)
    return " ".join([text, *_one_task(frame), *chance, *convergence.best_at_once(frame), *captions.leaks(frame)])


def _one_task(frame: pd.DataFrame) -> Iterator[str]:
    counts = frame[frame["metric"] == "weight"].groupby("dataset", sort=False)["task"].nunique()
    if names := [str(name) for name in counts.index[counts == 1]]:
        yield f"{_listed(names)} {'has' if len(names) == 1 else 'have'} one task, so that there is nothing to balance."


def _best(frame: pd.DataFrame, cells: pd.DataFrame, title: str, baseline: str) -> str:
    """The best mean of each data set and backbone that has several balancers, and what models without sharing reach."""
    parts = []
    for where, group in _compared(cells):
        row = group.iloc[0]
        if pd.isna(row["mean"]):
            parts.append(f"none on {where}, where no run finished")
            continue
        against = "" if row["balancer"] == baseline else f" ({_against(frame, row, baseline)})"
        parts.append(f"{balancer_name(row['balancer'])} on {where}, {_printed(row)}{against}")
    if not parts:
        return "There is one balancer on each backbone: no comparison."
    return f"Best {title}: {'; '.join([*parts, *_beside(frame, cells, baseline)])}."


def _range(frame: pd.DataFrame, cells: pd.DataFrame, title: str, baseline: str) -> Iterator[str]:
    """The best and the worst score of each backbone that has several balancers, and what other models reach."""
    parts = []
    for where, group in _compared(cells[cells["mean"].notna()]):
        ends = (f"{_printed(row)} ({balancer_name(row['balancer'])})" for _, row in group.iloc[[0, -1]].iterrows())
        parts.append(f"{where} {' to '.join(ends)}")
    if parts:
        both = "; ".join([*parts, *_beside(frame, cells, baseline)])
        yield f"{title[0].upper()}{title[1:]}, from best to worst: {both}."


def _beside(frame: pd.DataFrame, cells: pd.DataFrame, baseline: str) -> Iterator[str]:
    """LS on backbones that have no other balancer, and the simple models; of one data set, where they compare.

    STL's own Δm is not said: it is 0.
    """
    if cells["dataset"].nunique() > 1:
        return
    for _, group in cells.groupby("backbone", sort=False):
        if len(group) == 1 and group["balancer"].iloc[0] == baseline and group["metric"].iloc[0] not in LOW:
            name = backbone_name(group["backbone"].iloc[0])
            named = "a model for each task (STL)" if name == "STL" else name
            yield f"{named} has {_printed(group.iloc[0])}"
    yield from _simple(frame, cells, baseline)


def _simple(frame: pd.DataFrame, cells: pd.DataFrame, baseline: str) -> Iterator[str]:
    """The simple models: those that have the score, the best one first, and those that have not all tasks."""
    score = cells["metric"].iloc[0]
    digits = METRICS[score].digits
    models = {name: (kind, own) for kind, name, own in references.by_kind(frame) if name in references.TRAINED}
    reached = {name: value for name, (_, own) in models.items() for value in own.loc[own["metric"] == score, "value"]}
    for name in sorted(reached, key=lambda name: -reached[name]):
        beyond = ", and no network is better" if reached[name] >= cells["mean"].max() else ""
        found = against(frame, name, score, baseline, SIGNIFICANT)
        text = f"{models[name][0]} has {decimal(reached[name], digits)}"
        if found and cells["pairs"].max() > 1:
            text += f", {found.text(digits)} against {balancer_name(baseline)} on {backbone_name(found.backbone)}"
        yield text + beyond
    for name, (kind, own) in models.items():
        if name not in reached:
            yield f"{kind} has {_by_task(frame, own, baseline)}"


def _by_task(frame: pd.DataFrame, own: pd.DataFrame, baseline: str) -> str:
    """``an AUC of 0.6883 for churned and 0.6742 for upgraded, and no network is better on either``; of many tasks their
    mean, and on how many no network is better."""
    networks = compare(frame, list(references.AVERAGED), baseline)
    titles, best = networks.groupby("task")["task_title"].first(), networks.groupby("task")["mean"].max()
    own = own[own["metric"].isin(references.AVERAGED) & (own["task"] != "mean")].set_index("task")
    metric = METRICS[own["metric"].iloc[0]]
    ahead = [titles[task] for task, value in own["value"].items() if value >= best[task]]
    if len(own) > MOST_NAMED:
        text = f"a mean {metric.title} of {decimal(own['value'].mean(), metric.digits)} over {len(own)} tasks"
        return text + (f", and no network is better on {len(ahead)} of them" if ahead else "")
    all_of_them = {1: "", 2: " on either"}.get(len(own), " on any")
    where = all_of_them if len(ahead) == len(own) else f" on {_listed(ahead)}"
    values = _listed([f"{decimal(value, metric.digits)} for {titles[task]}" for task, value in own["value"].items()])
    return f"an {metric.title} of {values}" + (f", and no network is better{where}" if ahead else "")


def _listed(texts: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(", ".join(texts).rsplit(", ", 1))


def _compared(cells: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each backbone and data set that has several balancers, by name, with its cells, the best mean first."""
    several = cells["dataset"].nunique() > 1
    for (dataset, backbone), group in cells.groupby(["dataset", "backbone"], sort=False):
        if len(group) > 1:
            where = backbone_name(str(backbone)) + (f" on {dataset}" if several else "")
            yield where, group.sort_values("mean", ascending=group["metric"].iloc[0] in LOW, kind="stable")


def _printed(row: pd.Series) -> str:
    """The mean of a cell, and of how many runs it is if some have failed."""
    named = METRICS[row["metric"]]
    some = f" in the {row['n']} of {row['n'] + row['failed']} runs that finished" if row["failed"] else ""
    return f"{decimal(named.factor * row['mean'], named.digits)}{some}"


def _subjects(frame: pd.DataFrame, cells: pd.DataFrame, baseline: str) -> Iterator[str]:
    """The papers' balancers, where they are not the best, whose numbers are said before."""
    said = [group.index[0] for _, group in _compared(cells)]
    for name in SUBJECTS:
        others = cells[(cells["balancer"] == name) & ~cells.index.isin(said)]
        rows = [row for _, row in others.iterrows() if row["pairs"]]
        if rows:
            yield f"{balancer_name(name)} " + "; ".join(_subject(frame, row, baseline) for row in rows) + "."


def _costs(frame: pd.DataFrame, baseline: str) -> Iterator[str]:
    """How much longer a step of the papers' balancers takes, where that was timed."""
    timed = compare(frame, [QPS], baseline)
    for name in SUBJECTS:
        steps = [
            f"{decimal(1 / row['mean'], 2)} times {balancer_name(baseline)}'s on {_where(frame, row)}"
            for _, row in timed[timed["balancer"] == name].iterrows()
        ]
        if steps:
            yield f"A step of {balancer_name(name)} takes {'; '.join(steps)}."


def _subject(frame: pd.DataFrame, row: pd.Series, baseline: str) -> str:
    """``on MMOE −.0012 [−.0030, .0006] against LS: p = 0.03, uncorrected, a step takes 1.69 times as much time``."""
    found = against_baseline(frame, row, baseline, SIGNIFICANT)
    verdict = f"p = {found.test.p:.2g}, uncorrected" if found.told(SIGNIFICANT) else found.verdict(SIGNIFICANT)
    difference = found.text(METRICS[row["metric"]].digits)
    return f"on {_where(frame, row)} {difference} against {balancer_name(baseline)}: {verdict}{_price(frame, row)}"


def _where(frame: pd.DataFrame, row: pd.Series) -> str:
    """The backbone of a cell, with its data set if there are several."""
    return backbone_name(row["backbone"]) + (f" and {row['dataset']}" if frame["dataset"].nunique() > 1 else "")


def _against(frame: pd.DataFrame, row: pd.Series, baseline: str) -> str:
    difference = against_baseline(frame, row, baseline, SIGNIFICANT).text(METRICS[row["metric"]].digits)
    return f"{difference} against {balancer_name(baseline)}, {_significance(row)}{_price(frame, row)}"


def _significance(row: pd.Series) -> str:
    if pd.isna(row["p"]):
        return "not tested"
    return f"p = {row['p']:.2g}, and {row['p_holm']:.2g} after Holm's correction for all methods"


def _price(frame: pd.DataFrame, row: pd.Series) -> str:
    """Seconds of a step over the baseline's, in words; nothing where that was not timed."""
    timed = frame[(frame[METHOD] == row[METHOD]).all(axis=1) & (frame["metric"] == QPS)]["value"]
    return f", a step takes {decimal(1 / float(timed.iloc[0]), 2)} times as much time" if len(timed) else ""
