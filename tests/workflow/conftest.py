"""One small experiment, run once a session by the real `snakemake`; every test gets a copy of what came out."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from workflow_tree import Tree, new_tree


@contextmanager
def once(base: Path, name: str) -> Iterator[Path]:
    """A folder that all processes of pytest-xdist share, given to one of them at a time."""
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder / name


def ready(folder: Path, name: str, build: Callable[[Path], None]) -> Path:
    """``folder/name``, which is built unless an earlier process has; a failed build is not tried again."""
    failure = folder / f"{name}.failed"
    if failure.exists():
        pytest.fail(failure.read_text(), pytrace=False)
    if not (folder / name).exists():
        folder.mkdir(parents=True, exist_ok=True)
        failure.write_text(f"building the tree `{name}` failed in another process; its report is there")
        build(folder / f"{name}.partial")
        (folder / f"{name}.partial").rename(folder / name)
        failure.unlink()
    return folder / name


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """The tiny experiment, run from data to tables. For reading: tests that change a file use ``tree``."""
    with once(tmp_path_factory.getbasetemp(), "workflow") as folder:
        cache = folder / "cache"
        root = ready(folder, "finished", lambda partial: new_tree(partial, cache).snakemake())
    return Tree(root, cache)


@pytest.fixture(scope="session")
def versioned(finished: Tree, tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """The finished experiment, in git and DVC, pushed to a remote folder. For reading, and for cloning."""
    with once(tmp_path_factory.getbasetemp(), "workflow") as folder:
        root = ready(folder, "versioned", lambda partial: _version(finished.copy(partial), folder / "remote"))
    return Tree(root, finished.cache)


def _version(tree: Tree, remote: Path) -> None:
    tree.call("git", "init", "--quiet", "--initial-branch", "main")
    identify(tree)
    tree.call("dvc", "remote", "add", "--default", "folder", str(remote))
    tree.call("git", "add", "--all")
    tree.call("git", "commit", "--quiet", "--message", "the workflow")
    said = tree.call("dvc", "repro")
    assert said.count("Nothing to be done") == 2, said
    tree.call("git", "add", "--all")
    tree.call("git", "commit", "--quiet", "--message", "its results")
    tree.call("dvc", "push")


def identify(tree: Tree) -> None:
    """Say who commits, in this repository alone."""
    tree.call("git", "config", "user.name", "Test")
    tree.call("git", "config", "user.email", "test@localhost")


@pytest.fixture
def tree(finished: Tree, tmp_path: Path) -> Tree:
    """A copy of the finished experiment, to be changed."""
    return finished.copy(tmp_path / "tree")


@pytest.fixture
def clone(versioned: Tree, tmp_path: Path) -> Tree:
    """A clone, as another person has it after `git clone` and `dvc pull`."""
    tree = Tree(tmp_path / "clone", versioned.cache)
    versioned.call("git", "clone", "--quiet", str(versioned.root), str(tree.root))
    identify(tree)
    tree.call("dvc", "pull")
    return tree
