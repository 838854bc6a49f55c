"""refuse_unwritable: finds out before hours of work whether what it makes can be written."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mtbalance.errors import UserError


def refuse_unwritable(*files: Path | None) -> None:
    """Make the folders of these files. Raises ``UserError`` for a file that cannot be written there."""
    for file in filter(None, files):
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=file.parent):
                pass
        except OSError as error:
            raise UserError(f"{file} cannot be written: {error.strerror}: {error.filename}") from None
        if file.is_dir():
            raise UserError(f"{file} cannot be written: it is a folder")
