"""`make reproduce`: runs the preset under DVC, shows what it does, and says at the end what came out."""

from __future__ import annotations

import time
from pathlib import Path

from rich.console import Console

from mtbalance.config.parameters import Parameters
from mtbalance.errors import UserError
from mtbalance.planning.disk import refuse_full_disk
from mtbalance.reproduce.closing import closing
from mtbalance.reproduce.quiet import PLAIN
from mtbalance.reproduce.watching import watch

GO_ON = "What was finished is kept, and `make reproduce` goes on from here."


def reproduce(parameters: Parameters) -> None:
    """Run `dvc repro` (`snakemake` outside of a git checkout), then print the closing message.

    Raises :class:`~mtbalance.errors.UserError` before anything starts if the disk is too small for the data; after a
    failure with the ends of failed jobs' logs, or else with the end of the output; and if it is interrupted.
    """
    console = Console(highlight=False, soft_wrap=True)
    runs = sum(len(parameters.runs(name)) for name in parameters.active())
    console.print(f"Preset {parameters.preset}: {runs} training runs at most; what is up to date is not run again.")
    for name, experiment in parameters.active().items():
        console.print(f"  {name}: {len(parameters.runs(name))} runs on {', '.join(experiment.datasets)}")
    refuse_full_disk(parameters)
    command = ["dvc", "repro"] if Path(".git").exists() else ["snakemake"]
    console.print(
        f"`{' '.join(command)}` looks for what has to run; logs are in logs/, and how far the runs are is said by"
        " `mtbalance status --watch` in another terminal."
    )
    began = time.monotonic()
    try:
        seen = watch(command, console, {PLAIN: "1"})
    except KeyboardInterrupt:
        raise UserError(f"Interrupted. {GO_ON} A run that was cut short goes on from its last step.") from None
    if seen.code:
        said = "\n".join(seen.said())
        raise UserError(f"{said}\n\nThe run failed (exit status {seen.code}). {GO_ON}")
    console.print(closing(parameters, time.monotonic() - began))
