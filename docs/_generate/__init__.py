"""The generated half of the reference: written from the code whenever the documentation is built.

Each part is a Markdown file in ``docs/reference/generated``, which git ignores; a page of ``docs/reference`` includes
it. Every option, command and field has its sentence in the code, so none is written twice.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from _generate import commands, docstrings, methods, parameters, records, rules

PARTS: dict[str, Callable[[], str]] = {
    "parameters": parameters.markdown,
    "commands": commands.markdown,
    "methods": methods.markdown,
    "rules": rules.markdown,
    "record": records.markdown,
}


def write(folder: Path) -> None:
    """Write every part into ``folder``; a part that did not change keeps its file, so that nothing is read again."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, markdown in PARTS.items():
        path, text = folder / f"{name}.md", markdown()
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", lambda app: write(Path(app.srcdir) / "reference/generated"))
    app.connect("autodoc-process-docstring", docstrings.as_restructured_text)
    app.connect("autodoc-process-signature", docstrings.without_types_of_options)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
