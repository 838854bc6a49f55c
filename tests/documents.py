"""The pages of the documentation, and the code that they show."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
HOW_TO = sorted((DOCS / "how-to").glob("own_*.md"))
NAMED_FILE = re.compile(r"^`((?:src|tests)/[\w./]+)`[^\n]*:\n\n```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
"""A paragraph that begins with a path and ends with a colon says which file the block below it is."""


class Tried(NamedTuple):
    """The copy of the project, and what the trial in it came to."""

    root: Path
    found: dict[str, Any]


def pages() -> list[Path]:
    """All pages that a person wrote, and those beside the docs."""
    generated = DOCS / "reference/generated"
    beside = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    return [*beside, *(page for page in sorted(DOCS.rglob("*.md")) if generated not in page.parents)]


def blocks(page: Path | str, language: str) -> list[str]:
    """The fenced blocks of a language, in order; ``page`` may be relative to the project."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def files(page: Path) -> dict[str, str]:
    """The complete files that a page shows, by their paths in the project."""
    return dict(NAMED_FILE.findall(page.read_text(encoding="utf-8")))


def snippets(page: Path) -> list[str]:
    """The Python blocks of a page that are no files, to be run one after the other."""
    shown = set(files(page).values())
    return [block for block in blocks(page, "python") if block not in shown]


def settings(page: Path) -> list[dict[str, Any]]:
    """The parts of ``params.yaml`` that a page shows."""
    return [yaml.safe_load(block) for block in blocks(page, "yaml")]


def merged(base: Mapping[str, Any], *more: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with the keys of ``more``; blocks are merged key by key, everything else is replaced."""
    found = dict(base)
    for one in more:
        for key, value in one.items():
            both = isinstance(value, Mapping) and isinstance(found.get(key), Mapping)
            found[key] = merged(found[key], value) if both else value
    return found
