import pytest

from mtbalance.problems import Problem, open_problem
from tiny_problems import EXPERIMENTS, configure, prepared


@pytest.fixture(scope="session")
def problems(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Problem]:
    """The problem of a run of each kind."""
    folder = tmp_path_factory.mktemp("problems")
    return {name: open_problem(configure(name), prepared(name, folder)) for name in EXPERIMENTS}
