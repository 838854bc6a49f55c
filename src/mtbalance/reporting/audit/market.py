"""Table VI: gains by day."""

from __future__ import annotations

from collections.abc import Iterator

from mtbalance.reporting.audit.finding import Finding
from mtbalance.reporting.printed import Printed


def findings(printed: Printed) -> Iterator[Finding]:
    """What is printed of all days together."""
    yield average(printed)


def average(printed: Printed) -> Finding:
    """The average of the days."""
    gains = printed.table6.set_index("day")["gain_percent"]
    days = gains.drop("average")
    mean = days.mean()
    return Finding(
        "Table VI, average",
        f"+{gains['average']:.2f} %",
        f"+{mean:.2f} %",
        f"the plain mean of {len(days)} days; a mean weighted by traffic, which is not printed, may be another",
        abs(mean - gains["average"]) <= 0.005,
    )
