"""A SLURM that runs on this machine, and the tiny experiment to be run by it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from one_machine import Cluster, cluster, missing

from workflow_tree import Tree, finished_tree

PLUGIN = "snakemake_executor_plugin_slurm"


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """SLURM's commands; the tests that need them are skipped where it is not installed."""
    if lacking := missing():
        pytest.skip(f"SLURM is not installed here ({', '.join(lacking)}); Debian has it in slurm-wlm and munge")
    if not find_spec(PLUGIN):
        pytest.skip(f"{PLUGIN} is not installed here: pip install -e '.[slurm]'")
    with cluster(tmp_path_factory.mktemp("slurm")) as started:
        yield started


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """The tiny experiment, run on this machine without SLURM. For reading."""
    return finished_tree(tmp_path_factory.getbasetemp())
