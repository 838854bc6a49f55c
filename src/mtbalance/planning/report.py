"""The plan of a preset as tables for the terminal, and its closing line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich import box
from rich.table import Table

from mtbalance.planning.disk import GIGABYTE, DataPlan, Disk, shortage
from mtbalance.planning.timing import ExperimentTime

UNKNOWN = "unknown"


def data_table(plans: Iterable[DataPlan]) -> Table:
    """A row for each data set."""
    found = _table("Data", {"data set": "left", "state": "left", "from": "left", "download": "right", "disk": "right"})
    found.add_column("terms of use", overflow="fold")
    for plan in plans:
        disk = None if plan.raw is None or plan.prepared is None else plan.raw + plan.prepared
        amounts = (size(plan.download, plan.about), size(disk, plan.about or plan.prepared != 0))
        found.add_row(plan.name, plan.state, ", ".join(plan.sources) or "-", *amounts, plan.terms)
    return found


def time_table(times: Iterable[ExperimentTime]) -> Table:
    """A row for each experiment."""
    found = _table("Training", {"experiment": "left", "runs": "right", "epochs": "right"})
    found.add_column("one run", justify="right")
    found.add_column("all runs", justify="right")
    for time in times:
        most = "at most " if time.at_most else ""
        one = UNKNOWN if time.shortest is None else duration(time.shortest, most)
        if time.longest is not None and duration(time.longest, most) != one:
            one += f" to {duration(time.longest).removeprefix('about ')}"
        epochs, one = (f"{most}{time.epochs}", one) if time.runs else ("-", "-")
        runs = f"{time.runs} ({time.trials} trials a method)" if time.trials > 1 else str(time.runs)
        found.add_row(time.name, runs, epochs, one, duration(time.total, most))
    return found


def _table(title: str, columns: dict[str, str]) -> Table:
    found = Table(title=title, title_justify="left", box=box.SIMPLE)
    for name, side in columns.items():
        whole = name in ("data set", "experiment")
        found.add_column(name, justify="right" if side == "right" else "left", no_wrap=whole)
    return found


def size(count: int | None, about: bool) -> str:
    """Bytes as text: ``2.8 GB``, ``about 40 MB``, ``-`` for none, ``unknown``."""
    if count is None:
        return UNKNOWN
    if not count:
        return "-"
    said = f"{count / GIGABYTE:,.1f} GB" if count >= 0.1 * GIGABYTE else f"{max(count / 1e6, 0.1):,.1f} MB"
    return f"about {said}" if about else said


def duration(seconds: float | None, most: str = "") -> str:
    """Seconds as text: ``about 3 minutes``, ``at most about 5 hours``, ``unknown``."""
    if seconds is None:
        return UNKNOWN
    for unit, length in (("year", 365.25 * 86400.0), ("day", 86400.0), ("hour", 3600.0), ("minute", 60.0)):
        if seconds >= 1.5 * length or unit == "minute":
            number = max(seconds / length, 1)
            said = f"{number:,.0f}" if number >= 10 else f"{number:.2g}"
            return f"{most}about {said} {unit}{'' if said == '1' else 's'}"
    raise AssertionError("the last unit has everything")


def closing(
    preset: str, plans: list[DataPlan], disks: list[Disk], times: list[ExperimentTime], due: bool = True
) -> Iterator[str]:
    """What is missing, line by line, and one line at the end: totals, the verdict on the disk, the command to start.

    Without the last line if nothing is ``due``.
    """
    for plan in plans:
        if plan.state == "place by hand":
            yield f"{plan.name} must be placed by hand: docs/how-to/real_data.md says where from and where to."
    if not due:
        return
    download = sum(plan.download or 0 for plan in plans)
    unknown = [plan.name for plan in plans if None in (plan.download, plan.raw, plan.prepared)]
    for disk in disks:
        if not disk.enough:
            yield f"Not enough disk: {shortage(disk)}."
    needed, free = sum(disk.needed for disk in disks), min(disk.free for disk in disks)
    asked = [plan for plan in plans if plan.state == "download"]
    fetched = UNKNOWN + " size" if None in (plan.download for plan in asked) else size(download, True)
    parts = [f"{fetched} to download" if asked else "nothing to download"]
    more = "disk of unknown size" if unknown else "no more disk"
    parts += [f"{size(needed, True)} of disk of {size(free, False)} free" if needed else more]
    total = None if any(time.total is None for time in times) else sum(time.total or 0 for time in times)
    if times:
        most = "at most " if any(time.at_most for time in times) else ""
        parts.append(f"training {'of ' + UNKNOWN + ' length' if total is None else duration(total, most)}")
    verdict = "enough disk" if all(disk.enough for disk in disks) else "not enough disk"
    if unknown:
        verdict += f", without {', '.join(unknown)}, whose size is unknown"
    yield f"{', '.join(parts)}: {verdict}. Start: snakemake --cores all --config preset={preset}"
