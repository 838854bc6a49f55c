"""Where MLflow's database and files are: in the project's folder, also for runs in a copy that DVC made of it."""

from __future__ import annotations

import os
import re
from pathlib import Path

from mtbalance.writing import replacing

SQLITE = "sqlite:///"
"""How the address of a database in a file begins."""
COPIES = (".dvc", "tmp", "exps")
"""Where `dvc exp run --temp` and `--queue` put their copies of a project."""


def home() -> Path:
    """The project's folder: the working directory, or the one that it is DVC's temporary copy of."""
    here = Path.cwd()
    for folder in here.parents:
        if folder.parts[-3:] == COPIES:
            return folder.parents[2]
    return here


def database() -> str:
    """The address of MLflow's store: ``MLFLOW_TRACKING_URI``, by default ``mlflow.db`` in the project."""
    return os.environ.get("MLFLOW_TRACKING_URI", f"{SQLITE}{home() / 'mlflow.db'}")


def make() -> None:
    """Make the database if it is a file that is not there: whole or not at all, since MLflow refuses half of one.

    MLflow's own experiment gets no folder of this machine: its name goes into SQL as it is, with quotes and colons.
    """
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    plain = re.fullmatch(f"{SQLITE}([^?:]+)", database())  # with options it may be no file, or one to be read only
    if plain and not (path := Path(plain[1])).exists():
        with replacing(path) as partial:
            SqlAlchemyStore(f"{SQLITE}{partial}", "mlflow-artifacts:/")


def artifacts() -> Path:
    """The folder of the files that runs log."""
    return home() / "mlartifacts"


def lock() -> Path:
    """The file that only one process at a time may hold."""
    return home() / "mlflow.db.lock"
