"""The page of faults, from the results of a run of `make faults`: python tests/faults/table.py PAGE.md RESULTS.xml.

The parts can be run one by one; then there are several files of results."""

from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from subjects import ANOTHER, MOST_MEGABYTES, MOST_SECONDS, REFUSED, RIGHT, SEED

from mtbalance.training.environment import commit, processor

ENDS = (REFUSED, RIGHT, ANOTHER)
PAGE = """# Faults

What `make faults` injected into this project, and what came of it: processes that are killed, files that are damaged,
disks that get full. Every number is counted on two cores of {processor}, in {runs} `{commit}`. The run fails, and
this page stays as it was, if anything is lost that must not be, if a number differs, or if a fault is not told in one
line.

Every fault is drawn from the seed {seed}, its name in the table and its number. So each comes again with

```shell
python -m pytest -m faults tests/faults -k "the name in the table"
```

A failure says which file was damaged, and how.

## Killed runs

Each run is ended at random moments within its epochs, up to three times, and begun again: {kills} times by SIGKILL
and {terms} times by SIGTERM, as clusters do. Between two checkpoints are one to four steps here, in place of ten
minutes. *Steps again* is the largest number of steps that a run had to take a second time; the others are differences
to the run that nobody ended, in its record (but for times), its final weights, its predictions, and the numbers of
its steps.

| problem | balancer | SIGKILL | SIGTERM | steps again | differences |
|:---|:---|---:|---:|---:|---:|
{killed}

## Damaged files

A bit is flipped, a part is cut off, overwritten with zeros or noise, moved or doubled, a file has the content of
another, a cell of a table is one that nobody expects. Each command on a damaged file must end in one line that names
the file, or in the numbers that the whole file gives; in {seconds} seconds of processor time and {megabytes:,} MB at
the most. It leaves no file in part, and none outside the project.

A raw file whose checksum nobody knows, since it was placed by hand, may be another file: its numbers are then what it
says, and the schema of the prepared data has its checksum. Files that were fetched have a checksum, in `params.yaml`
or in `data/sources.lock.json`, and files that were generated have one beside them. Every other damage of a raw file
is done where it is known.

| file | damaged | {ends} | other numbers |
|:---|---:|---:|---:|---:|---:|
{damaged}

## Full disks

The disk is full at up to four points: at the beginning, after a page, after half of what the command writes, and just
before its end. The command must say so in one line. What it writes is there whole or not at all, and the command does
its work when it is run again with room. A checkpoint is the exception: training goes on without it.

| what is written | times | in part | not made again |
|:---|---:|---:|---:|
{filled}
"""


def results(paths: Iterable[Path]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The kind and the facts of each test that passed."""
    for path in paths:
        for found in ElementTree.parse(path).iter("property"):
            yield str(found.get("name")), json.loads(str(found.get("value")))


def page(found: Iterable[tuple[str, dict[str, Any]]], parts: bool) -> str:
    """The page of a run, or of ``parts`` that were run one by one."""
    kinds: dict[str, list[dict[str, Any]]] = {"killed": [], "damaged": [], "filled": []}
    for kind, facts in found:
        kinds[kind].append(facts)
    killed, damaged, filled = kinds.values()
    assert killed and damaged and filled, "parts of the run are missing"
    return PAGE.format(
        commit=(commit() or "unknown")[:10],
        processor=" ".join(re.sub(r"\(\w+\)", "", processor()).split()[:2]),
        runs="runs of the parts, one by one, the last of them at commit" if parts else "a run of commit",
        seed=SEED,
        kills=sum(run["kills"] for run in killed),
        terms=sum(run["terms"] for run in killed),
        killed=_rows((r["problem"], f"`{r['balancer']}`", r["kills"], r["terms"], r["lost"], 0) for r in killed),
        seconds=MOST_SECONDS,
        megabytes=MOST_MEGABYTES,
        ends=" | ".join(ENDS),
        damaged=_rows(
            (r["name"], sum(r["ends"].values()), *(r["ends"].get(end, 0) for end in ENDS), 0) for r in _summed(damaged)
        ),
        filled=_rows((r["name"], r["times"], 0, 0) for r in filled),
    )


def _summed(damaged: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, and one that adds them up."""
    total = {end: sum(row["ends"].get(end, 0) for row in damaged) for end in ENDS}
    return [*damaged, {"name": "**all**", "ends": total}]


def _rows(rows: Iterable[Iterable[object]]) -> str:
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)


if __name__ == "__main__":
    output, *files = map(Path, sys.argv[1:])
    text = page(results(files), len(files) > 1)
    output.write_text(text, encoding="utf-8")
    print("\n".join(line for line in text.split("\n") if line.startswith("|")))
