from pathlib import Path

import pytest
from scene_data import SMALL, write_sides

from mtbalance.data import prepare
from mtbalance.data.synthetic_scenes import generate


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the zip of a few synthetic scenes."""
    folder = tmp_path_factory.mktemp("raw") / "synthetic_small"
    generate(SMALL, folder)
    return folder


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A folder of three training scenes and two test scenes of noise in the pre-processed form, to be spoilt."""
    write_sides(tmp_path / "raw", train=3, val=2)
    return tmp_path / "raw"


@pytest.fixture(scope="session")
def prepared(generated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The synthetic scenes, prepared."""
    folder = tmp_path_factory.mktemp("processed") / "small"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mtbalance.data.synthetic_scenes.RAW", generated.parent)
        prepare(generated.name, SMALL, folder)
    return folder
