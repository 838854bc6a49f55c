import json
from collections.abc import Callable
from pathlib import Path

import pytest
from result_subjects import finished_project


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project whose runs are finished. For copying."""
    folder = tmp_path_factory.mktemp("project")
    finished_project(folder)
    return folder


@pytest.fixture
def told(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Keeps what a test counted for the page of faults (``table.py``)."""
    return lambda kind, **facts: record_property(kind, json.dumps(facts))
