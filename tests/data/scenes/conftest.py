from pathlib import Path

import pytest
from scene_data import place_real, write_sides, write_splits


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A folder of three training scenes and two test scenes of noise in the pre-processed form, to be spoiled."""
    write_sides(tmp_path / "raw", train=3, val=2)
    return tmp_path / "raw"


@pytest.fixture
def prepared(prepared_scenes: Path) -> Path:
    """The synthetic scenes, prepared."""
    return prepared_scenes


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """The one real image with all three tasks, in the official pieces, as both splits."""
    write_splits(tmp_path / "raw", [433], [433])
    place_real(tmp_path / "raw", 433)
    return tmp_path / "raw"
