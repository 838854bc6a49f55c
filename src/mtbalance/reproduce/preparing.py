"""prepare: a data set by the workflow's own rule, so that the workflow knows from what it was made."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from mtbalance import places
from mtbalance.errors import UserError

TAIL = 20
"""Lines of Snakemake's output that are shown where the job itself has said nothing."""


def prepare(dataset: str) -> str:
    """Have Snakemake prepare a data set, unless it is up to date. Returns what the preparation said.

    Prepared by hand under its final name, a data set would have no provenance there: Snakemake takes it for up to date,
    and an edit of its block would go unnoticed. Raises :class:`UserError` with what the job or Snakemake said.
    """
    log = Path(places.log("prepare", "{dataset}").format(dataset=dataset))
    began = time.time()
    target = f"{places.PREPARED}/{places.SCHEMA}".format(dataset=dataset)
    done = subprocess.run(
        ["snakemake", "--cores", "all", "--nocolor", "--", target],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = log.read_text(errors="replace").strip() if log.is_file() else ""
    if done.returncode:
        new = said if log.is_file() and log.stat().st_mtime >= began else ""
        raise UserError(new.removeprefix("mtbalance: ") or "\n".join(done.stdout.splitlines()[-TAIL:]))
    return said
