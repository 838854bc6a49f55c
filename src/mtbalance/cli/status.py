"""The command that says how far a preset is."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from mtbalance import places
from mtbalance.cli.arguments import ParametersOption, PresetOption, parameters_from

EVERY = 5
"""Seconds between two looks."""


def status(
    watch: Annotated[bool, typer.Option("--watch", help=f"Look again every {EVERY} seconds, until Ctrl-C.")] = False,
    preset: PresetOption = None,
    params: ParametersOption = places.PARAMETERS,
) -> None:
    """Say which runs of a preset are done, running, failed or left, and when all will be done."""
    from rich.console import Console, Group
    from rich.live import Live

    from mtbalance.planning.status import lines, statuses

    parameters = parameters_from(params, preset)
    console = Console(highlight=False, soft_wrap=True)
    if not watch:
        for line in lines(statuses(parameters)):
            console.print(line)
        return
    with Live(console=console, auto_refresh=False) as live:
        try:
            while True:
                live.update(Group(*lines(statuses(parameters))), refresh=True)
                time.sleep(EVERY)
        except KeyboardInterrupt:
            return
