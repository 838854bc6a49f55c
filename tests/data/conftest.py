from pathlib import Path

import pytest
from sample_data import SMALL, processed

from mtbalance.data import prepare
from mtbalance.data.synthetic import generate


@pytest.fixture(scope="session")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with small synthetic train.csv and test.csv (and truth.csv) in the processed form."""
    folder = tmp_path_factory.mktemp("raw") / "synthetic_small"
    generate(SMALL, folder)
    return folder


@pytest.fixture(scope="session")
def prepared(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same rows, prepared."""
    folder = tmp_path_factory.mktemp("processed") / "small"
    prepare("small", processed(raw), folder)
    return folder
