"""Methods as lines of a figure, from top to bottom, each backbone's name above its methods."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes

from mtbalance.reporting.drawing import Look
from mtbalance.reporting.names import backbone_name, balancer_name

Method = tuple[str, str]
"""Backbone and balancer; the line with a backbone's name has no balancer."""


def method_lines(methods: Iterable[Method], baseline: str) -> list[Method]:
    """The lines of these methods without the baseline; none for a backbone that has the baseline alone."""
    by_backbone: dict[str, list[Method]] = {}
    for method in methods:
        by_backbone.setdefault(method[0], []).append(method)
    lines: list[Method] = []
    for backbone, own in by_backbone.items():
        others = [method for method in own if method[1] != baseline]
        lines += [(backbone, ""), *others] if others else []
    return lines


def interval(axes: Axes, height: float, middle: float, low: float, high: float, look: Look) -> None:
    """A marker at ``middle`` with a bar from ``low`` to ``high``, which are NaN where there is no bar."""
    reach = [[0.0], [0.0]] if math.isnan(low) else [[middle - low], [high - middle]]
    axes.errorbar(middle, height, xerr=reach, color=look.color, fmt=look.marker, markersize=5.5, capsize=2.5)


def label_lines(panels: Sequence[Axes], lines: list[Method]) -> None:
    """Names of the lines at the left side of the first panel; no ticks and no grid for them in any."""
    panels[0].set_yticks(range(len(lines)), [balancer_name(b) if b else backbone_name(a) for a, b in lines])
    for label, (_, balancer) in zip(panels[0].get_yticklabels(), lines, strict=True):
        label.set_fontweight("normal" if balancer else "bold")
    panels[0].set_ylim(len(lines) - 0.4, -0.6)
    for axes in panels:
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False, axis="y")
