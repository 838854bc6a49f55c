"""The command ``mtbalance test``: a readable verdict, and a status."""

import pytest
from typer.testing import CliRunner

from mtbalance.cli import app
from mtbalance.errors import UserError

RULE = '''"""Weights by the inverse norm of each row."""

import numpy as np

from mtbalance.balancing.rules import GramRule


class InverseNorm(GramRule):
    """Weights proportional to 1 / ||row||.

    Source: an example.
    """

    def weights(self, gram, losses):
        norms = np.sqrt(gram.diagonal())
        return 1 / (norms + (norms == 0))
'''


@pytest.fixture
def said(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")

    def run(text: str, *options: str):
        file = tmp_path / "my_rule.py"
        file.write_text(text)
        return CliRunner().invoke(app, ["test", str(file), *options])

    return run


def test_a_good_rule_has_status_0_and_a_row_for_each_check(said):
    done = said(RULE)
    assert done.exit_code == 0, done.output
    assert "InverseNorm holds the contract." in done.output
    assert [f"  {name}  " in done.output for name in ("zero rows", "permutation", "training")] == [True] * 3


def test_a_broken_rule_has_status_1_and_is_told_what_to_do(said):
    done = said(RULE.replace(" + (norms == 0)", ""))
    assert done.exit_code == 1
    assert "InverseNorm fails 2 of 19 checks: one task, zero rows." in done.output
    words = " ".join(done.output.split())
    assert "one zero row: in went the rows" in words and "Guard the division" in words


def test_a_file_without_a_rule_is_an_error_that_says_so(said):
    done = said("x = 1\n")
    assert done.exit_code == 1 and isinstance(done.exception, UserError)
    assert "defines no rule" in str(done.exception)
