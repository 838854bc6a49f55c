"""A project's folder with a new store, which is what this process logs to."""

import shutil

import pytest
from mlflow import MlflowClient

from tracked_runs import address


@pytest.fixture(scope="session")
def empty(tmp_path_factory):
    """A store without runs. To make one takes seconds, to copy it does not."""
    folder = tmp_path_factory.mktemp("empty")
    MlflowClient(address(folder)).search_experiments()
    return folder / "mlflow.db"


@pytest.fixture
def project(tmp_path, empty, monkeypatch):
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copy(empty, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address(folder))
    return folder
