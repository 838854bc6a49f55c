"""The page's plots, with numbers under the pointer: what a method costs, how it trains, and how it weighs tasks."""

from __future__ import annotations

import pandas as pd
from plotly import graph_objects as go
from plotly.graph_objects import Figure

from mtbalance.reporting.comparison import compare
from mtbalance.reporting.derived import moving_shares
from mtbalance.reporting.drawing import GRAY, PALETTE
from mtbalance.reporting.formats import counted
from mtbalance.reporting.names import backbone_name, balancer_name
from mtbalance.reporting.score import SCORES, of_scores, score_of, score_titles
from mtbalance.reporting.value import GROUP, QPS

SYMBOLS = {"loss": "circle", "representation": "diamond", "gradient": "square", "update": "triangle-up"}
"""The marker of each level."""
LAYOUT = {"template": "simple_white", "height": 460, "margin": {"l": 60, "r": 20, "t": 70, "b": 50}}


def plots(frame: pd.DataFrame, baseline: str) -> list[Figure]:
    """The plots of one experiment. Those whose numbers it does not have are left out."""
    drawn = [_trade_off(frame, baseline)]
    for key, model in frame.groupby(GROUP, sort=False):
        drawn += [_curves(key, model, baseline), _weights(key, model)]
    return [figure for figure in drawn if figure is not None]


def _trade_off(frame: pd.DataFrame, baseline: str) -> Figure | None:
    """The score against the time of a step, one point a method."""
    name, metrics = score_titles(frame), set(frame["metric"])
    if QPS not in metrics or not metrics & set(SCORES):
        return None
    scores = compare(of_scores(frame), list(SCORES), baseline)
    speeds = compare(frame, [QPS], baseline)[[*GROUP, "balancer", "mean"]]
    both = scores.merge(speeds, on=[*GROUP, "balancer"], suffixes=("", "_speed")).dropna(subset=["mean", "mean_speed"])
    figure = Figure(layout=LAYOUT)
    for index, (key, points) in enumerate(both.groupby(GROUP, sort=False)):
        figure.add_scatter(
            name=_where(key),
            x=1 / points["mean_speed"],
            y=points["mean"],
            error_y={"array": points["std"], "thickness": 1},
            mode="markers",
            text=[balancer_name(name) for name in points["balancer"]],
            customdata=points["level"],
            marker={
                "size": 10,
                "color": PALETTE[index % len(PALETTE)],
                "symbol": [SYMBOLS.get(level, "x") for level in points["level"]],
            },
            hovertemplate=f"%{{text}} (level %{{customdata}})<br>{name} %{{y:.4f}}<br>step %{{x:.2f}} times"
            f" {balancer_name(baseline)}'s",
        )
    low, high, outside = _range(both["mean"], both["std"].fillna(0))
    note = f"; {counted(outside, 'method')} below: a double click shows all" if outside else ""
    return figure.update_layout(
        title=f"Test {name} against the cost of a step<br><sub>circle: loss, diamond: representation, square:"
        f" gradient, triangle: update{note}</sub>",
        xaxis_title=f"time of a step over that of {balancer_name(baseline)}",
        yaxis_title=f"test {name}",
        yaxis_range=[low, high],
    )


def _range(values: pd.Series, whiskers: pd.Series) -> tuple[float, float, int]:
    """An axis' range in which points far below do not flatten the rest, and how many points lie below it.

    It has the whole whiskers of the points in it.
    """
    low, middle = values.quantile([0.25, 0.5])
    shown = values >= middle - 6 * max(middle - low, 1e-4)
    bottom, top = (values - whiskers)[shown].min(), (values + whiskers)[shown].max()
    margin = 0.08 * (top - bottom) or 0.01
    return bottom - margin, top + margin, int((~shown).sum())


def _curves(key: tuple[str, ...], model: pd.DataFrame, baseline: str) -> Figure | None:
    """The score after each epoch, the mean over seeds of each balancer."""
    curves = model[model["epoch"].notna() & (model["metric"] == score_of(model))]
    name = score_titles(model)
    if curves.empty:
        return None
    figure = Figure(layout=LAYOUT)
    others = 0
    for balancer, runs in curves.groupby("balancer", sort=False):
        line = runs.groupby("epoch")["value"].mean()
        color = GRAY if balancer == baseline else PALETTE[others % len(PALETTE)]
        dash = ("solid", "dash", "dot", "dashdot")[others // len(PALETTE) % 4]
        others += balancer != baseline
        figure.add_scatter(
            name=balancer_name(str(balancer)),
            x=line.index.astype(int),
            y=line,
            mode="lines+markers",
            line={"color": color, "dash": dash},
            hovertemplate="epoch %{x}: %{y:.4f}",
        )
    split = curves["split"].iloc[0]
    return figure.update_layout(
        title=f"{_where(key)}: {name} on {split} after each epoch<br><sub>a click on a name hides it, two show it"
        " alone</sub>",
        xaxis_title="epoch",
        yaxis_title=f"{split} {name}",
    )


def _weights(key: tuple[str, ...], model: pd.DataFrame) -> Figure | None:
    """The share of the first task in the weights, by epoch."""
    shares = moving_shares(model)
    if shares.empty:
        return None
    first, tasks = shares[shares["task"] == shares["task"].iloc[0]], shares["task"].nunique()
    others = f"<br><sub>the first of {tasks} tasks; the figure `weights` has all</sub>" if tasks > 2 else ""
    figure = Figure(layout=LAYOUT)
    for index, (balancer, runs) in enumerate(first.groupby("balancer", sort=False)):
        line = runs.groupby("epoch")["share"].mean()
        figure.add_scatter(
            name=balancer_name(str(balancer)),
            x=line.index.astype(int),
            y=line,
            mode="lines+markers",
            line={"color": PALETTE[index % len(PALETTE)], "dash": ("solid", "dash", "dot")[index // len(PALETTE) % 3]},
            hovertemplate="epoch %{x}: %{y:.3f}",
        )
    return figure.update_layout(
        title=f"{_where(key)}: share of {first['task_title'].iloc[0]} in the weights{others}",
        xaxis_title="epoch",
        yaxis_title="share of the weights",
        yaxis_range=[0, max(min(1.0, 2 / tasks), 1.05 * float(first["share"].max()))],
    )


def _where(key: tuple[str, ...]) -> str:
    dataset, backbone = key
    return f"{backbone_name(backbone)} on {dataset}"


def html(figure: Figure) -> str:
    """The plot as a part of a page that has plotly's script already."""
    return str(go.Figure(figure).to_html(full_html=False, include_plotlyjs=False))
