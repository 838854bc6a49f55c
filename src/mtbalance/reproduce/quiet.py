"""snakemake: the workflow as the stages of `dvc.yaml` run it, with its progress in short."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from rich.console import Console

from mtbalance.reproduce.closing import shown
from mtbalance.reproduce.watching import watch

PLAIN = "MTBALANCE_PLAIN_SNAKEMAKE"
"""Set in the environment by a command that reads Snakemake's own lines, as `make reproduce` does."""
QUESTION = re.compile(
    r"-[a-z]*n[a-z]*|-[lSDvh]|--(dry-?run|help|version|lint|list(-.+)?|(detailed-)?summary|dag|rulegraph|filegraph|d3dag)"
)
"""An option with which Snakemake runs nothing, and answers: its own lines are what is wanted."""
INTERRUPTED = 130
"""The exit status after Ctrl-C."""


def snakemake(options: Sequence[str]) -> int:
    """Run Snakemake; print how each run ended, the progress, and of a failure what the logs say and where they are.

    Returns its exit status. Of a dry run, and of what only lists something, the lines are shown as they are.
    """
    command = ["snakemake", *options]
    if PLAIN in os.environ or any(map(QUESTION.fullmatch, options)):
        os.execvp(command[0], command)
    console = Console(highlight=False, soft_wrap=True)
    try:
        seen = watch(command, console)
    except KeyboardInterrupt:
        return INTERRUPTED
    if seen.code or seen.idle:
        for line in seen.said() if seen.code else shown():
            console.print(line, markup=False)
    return seen.code
