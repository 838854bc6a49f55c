from pathlib import Path

import pytest
from scene_data import write_sides


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A folder of three training scenes and two test scenes of noise in the pre-processed form, to be spoiled."""
    write_sides(tmp_path / "raw", train=3, val=2)
    return tmp_path / "raw"


@pytest.fixture
def prepared(prepared_scenes: Path) -> Path:
    """The synthetic scenes, prepared."""
    return prepared_scenes
