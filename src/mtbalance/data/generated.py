"""Stand-in data: their name says so, and a folder of them says what it was generated with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from mtbalance.data import DataError

RAW = Path("data/raw")
MARK = "generated.json"
"""The configuration that a folder was generated with; written last."""


def require_synthetic(name: str) -> None:
    """Raise :class:`DataError` unless a data set's name says ``synthetic``: nobody may take it for a real one."""
    if "synthetic" not in name:
        raise DataError(f"data set {name!r}: generated data need `synthetic` in their name; rename it in params.yaml")


def is_generated(config: BaseModel, folder: Path, files: Sequence[str]) -> bool:
    """Whether ``folder`` holds ``files`` as this configuration gives them."""
    mark = folder / MARK
    complete = all((folder / file).is_file() for file in (*files, MARK))
    return complete and mark.read_text(encoding="utf-8") == mark_of(config)


def mark_of(config: BaseModel) -> str:
    """What the files depend on: all of a configuration but how their rows are split."""
    return config.model_dump_json(exclude={"split"}, indent=1) + "\n"
