"""Where the store is: in the project's folder, also for runs in DVC's copies of it."""

from mlflow import MlflowClient

from mtbalance.tracking import home


def test_the_store_is_in_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert home.database() == f"sqlite:///{tmp_path}/mlflow.db"
    assert home.artifacts() == tmp_path / "mlartifacts"


def test_a_copy_that_dvc_made_has_the_store_of_its_project(tmp_path, monkeypatch):
    copy = tmp_path / ".dvc/tmp/exps/tmp1/src"
    copy.mkdir(parents=True)
    for folder in (copy, copy.parent):
        monkeypatch.chdir(folder)
        assert home.home() == tmp_path


def test_a_store_can_be_made_in_a_folder_with_any_quotes(tmp_path, monkeypatch):
    folder = tmp_path / 'it\'s the "new" folder'
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    home.make()
    assert [each.name for each in MlflowClient(home.database()).search_experiments()] == ["Default"]
    assert [path.name for path in folder.iterdir()] == ["mlflow.db"]


def test_the_environment_decides(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://localhost:5000")
    assert home.database() == "http://localhost:5000"
