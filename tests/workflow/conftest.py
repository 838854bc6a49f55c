"""One small experiment, run once a session by the real `snakemake`; every test gets a copy of what came out."""

from __future__ import annotations

from pathlib import Path

import pytest

from built_once import once, ready
from workflow_tree import Tree, finished_tree


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """The tiny experiment, run from data to tables. For reading: tests that change a file use ``tree``."""
    return finished_tree(tmp_path_factory.getbasetemp())


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
