from pathlib import Path

import pytest
import scene_data
from sample_data import SMALL, processed


@pytest.fixture(scope="session")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with small synthetic train.csv and test.csv (and truth.csv) in the processed form."""
    folder = tmp_path_factory.mktemp("raw") / "synthetic_small"
    SMALL.generate(folder)
    return folder


@pytest.fixture(scope="session")
def prepared(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same rows, prepared."""
    folder = tmp_path_factory.mktemp("processed") / "small"
    processed(raw).prepare("small", folder)
    return folder


@pytest.fixture(scope="session")
def generated_scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the zip of a few synthetic scenes, as in a project."""
    folder = tmp_path_factory.mktemp("project") / "data" / "raw" / "synthetic_small"
    scene_data.SMALL.generate(folder)
    return folder


@pytest.fixture(scope="session")
def prepared_scenes(generated_scenes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The synthetic scenes, prepared."""
    folder = tmp_path_factory.mktemp("processed") / "small"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(generated_scenes.parents[2])
        scene_data.SMALL.prepare(generated_scenes.name, folder)
    return folder
