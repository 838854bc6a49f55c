"""Limits of a download that a test can wait for, and what is said of one that fails."""

from pathlib import Path

import pytest

from mtbalance.config.datasets import RawFile
from mtbalance.data import DataError
from mtbalance.data.files.fetching import fetch
from mtbalance.data.files.fetching.limits import Limits

SHORT = Limits(silent_s=0.15, window_s=0.15, slowest=1000.0, most_bytes=10**18, pauses=(0.0, 0.0), patience_s=0.1)


def fault(file: RawFile) -> str:
    """The one line about the file's only address; nothing has its name, and no secret is told."""
    with pytest.raises(DataError) as caught:
        fetch(file, SHORT)
    _, line, _ = str(caught.value).split("\n")
    assert not Path(file.path).exists() and "SECRET" not in line
    return line.removeprefix(f"  {file.urls[0]}: ")
