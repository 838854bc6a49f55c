"""The command that says what a preset will run, download, write and take, before anything starts."""

from __future__ import annotations

from typing import Annotated

import typer

from mtbalance import places
from mtbalance.cli.arguments import ParametersOption, PresetOption, parameters_from

WIDTH = 120
"""Columns where the output is no terminal."""


def plan(
    preset: PresetOption = None,
    time: Annotated[bool, typer.Option(help="Time a few training steps, which takes about a minute.")] = True,
    params: ParametersOption = places.PARAMETERS,
) -> None:
    """Say what a preset will download and run, and why, the disk and the time that it takes, and whose terms hold.

    Nothing is downloaded. Status 1 if the disk is too small.
    """
    from rich.console import Console

    from mtbalance.planning.disk import data_plans, disks
    from mtbalance.planning.due import due, due_table
    from mtbalance.planning.report import closing, data_table, time_table

    parameters = parameters_from(params, preset)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH
    plans = data_plans(parameters)
    needs = disks(plans)
    console.print(data_table(plans))
    with console.status("asking Snakemake what would run"):
        jobs = due(parameters.preset) if params == places.PARAMETERS else None
    if jobs is not None:
        console.print(due_table(jobs) if jobs else "Everything is up to date: nothing would run.")
    times = []
    if time and jobs != {}:
        from mtbalance.planning.in_all import in_all
        from mtbalance.planning.timing import Timing

        timing = Timing(parameters)
        with console.status("timing a few training steps"):
            times = timing.experiments()
        console.print(time_table(times))
        console.print(timing.said(), soft_wrap=True)
        if jobs:
            console.print(in_all(parameters, jobs, timing, times), soft_wrap=True)
    for line in closing(parameters.preset, plans, needs, times, jobs != {}):
        console.print(line, soft_wrap=True)
    if not all(disk.enough for disk in needs):
        raise typer.Exit(1)
