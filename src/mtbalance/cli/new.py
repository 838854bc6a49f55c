"""The command that writes the first blocks for a table of one's own."""

from __future__ import annotations

import os
from pathlib import Path
from textwrap import indent
from typing import Annotated

import typer

from mtbalance import places
from mtbalance.config.insertion import inserted
from mtbalance.config.positions import Positions
from mtbalance.config.reading import parse, read_parameters
from mtbalance.errors import UserError
from mtbalance.writing import write_text


def new(
    table: Annotated[Path, typer.Argument(help="A CSV file (also .gz or .zip) or a Parquet file.")],
    name: Annotated[str | None, typer.Option(help="The name of the data set; default: the file's.")] = None,
    task: Annotated[
        list[str] | None,
        typer.Option(help="A task: 'COLUMN above NUMBER', 'COLUMN below NUMBER', 'COLUMN is VALUE', or COLUMN."),
    ] = None,
    write: Annotated[bool, typer.Option("--write", help=f"Add the blocks to {places.PARAMETERS}.")] = False,
) -> None:
    """Guess the blocks of params.yaml for a TABLE: its columns and tasks, a small experiment, a preset.

    They are printed, or added with --write; a table outside of data/raw then gets a link there. Comments say what
    was seen in each column. A column that alone tells a label almost surely is left out, as a suspected leak. Give
    --task once for each task, or leave it out to have them guessed from columns of two values. Read every line
    before you train.
    """
    from mtbalance.data.guess.draft import draft
    from mtbalance.data.guess.look import look
    from mtbalance.data.guess.roles import roles
    from mtbalance.data.guess.tasks import key

    name = key(name or table.name.partition(".")[0])
    seen = look(table)
    raw = _raw(table, name)
    blocks = draft(seen, roles(seen, task or ()), name, raw)
    if not write:
        for place, block in blocks.items():
            typer.echo(f"{place}:\n{indent(block, '  ')}")
        return
    path = Path(places.PARAMETERS)
    read_parameters(path)
    text = inserted(path.read_text(encoding="utf-8"), blocks, places.PARAMETERS)
    positions = Positions(path, text)
    parse(positions.content)
    if not raw.exists():
        raw.parent.mkdir(parents=True, exist_ok=True)
        raw.symlink_to(table.resolve())
        typer.echo(f"{raw}: a link to {table}")
    write_text(path, text)
    written = positions.located(f"{block}.{name}: new" for block in blocks)
    typer.echo("\n".join([*written, "read every line, then"]))
    typer.echo(f"  mtbalance prepare {name}\n  mtbalance snakemake --cores 2 --config preset={name}")


def _raw(table: Path, name: str) -> Path:
    """Where the workflow finds the table: itself below the folder of raw files, or a link to it there."""
    place = Path(os.path.relpath(table))
    if place.is_relative_to(places.RAW_DATA):
        return place
    place = Path(places.RAW_DATA, name, table.name)
    if place.exists() and not place.samefile(table):
        raise UserError(f"{place} is another file than {table}: give another --name")
    return place
