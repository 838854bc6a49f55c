"""prepare: a data set by the workflow's own rule, so that the workflow knows from what it was made."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from mtbalance import places
from mtbalance.data import DataError
from mtbalance.data.manifest import refuse_damaged
from mtbalance.errors import UserError

TAIL = 20
"""Lines of Snakemake's output that are shown where the job itself has said nothing."""


def prepare(dataset: str) -> str:
    """Have Snakemake prepare a data set, unless it is up to date and whole. Returns what the preparation said.

    Prepared by hand under its final name, a data set would have no provenance there: Snakemake takes it for up to date,
    and an edit of its block would go unnoticed. Raises :class:`UserError` with what the job or Snakemake said.
    """
    log = Path(places.log("prepare", "{dataset}").format(dataset=dataset))
    began = time.time()
    target = Path(places.PREPARED.format(dataset=dataset), places.SCHEMA)
    done = subprocess.run(
        ["snakemake", "--cores", "all", "--nocolor", *_force(target), "--", str(target)],
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


def _force(schema: Path) -> list[str]:
    """The option that has Snakemake make a data set again whose files are missing or damaged, which it cannot tell."""
    try:
        refuse_damaged(schema.parent)
    except DataError:
        return ["--force"]
    return []
