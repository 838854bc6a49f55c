"""What the documentation shows is run."""

import importlib
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from mtbalance import rules
from mtbalance.config import balancer_config
from mtbalance.registry import available

ROOT = Path(__file__).parent.parent


def blocks(path: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / path).read_text(), flags=re.MULTILINE | re.DOTALL)


def test_the_readme_example_trains():
    (example,) = blocks("README.md", "python")
    assert len([line for line in example.splitlines() if line.strip()]) <= 12
    names = {}
    exec(compile(example, "README.md", "exec"), names)
    assert names["report"].weights.sum() == pytest.approx(2) and -1 <= names["balancer"].level.steps - 101 <= 0


@pytest.fixture
def added(tmp_path, monkeypatch):
    """The documented rule, as a file of the rules' package."""
    (tmp_path / "inverse_norm.py").write_text(blocks("docs/adding_a_balancer.md", "python")[0])
    monkeypatch.setattr(rules, "__path__", [*rules.__path__, str(tmp_path)])
    importlib.invalidate_caches()
    yield
    sys.modules.pop("mtbalance.rules.inverse_norm", None)


def test_the_documented_rule_is_found_configured_and_right(added):
    assert "inverse_norm" in available("mtbalance.rules")
    block = yaml.safe_load(blocks("docs/adding_a_balancer.md", "yaml")[0])["balancers"]["inverse_norm"]
    assert balancer_config(block).power == 1.0
    rule = importlib.import_module("mtbalance.rules.inverse_norm").InverseNorm(3)
    np.testing.assert_allclose(rule.weights(np.diag([1.0, 4.0, 0.0]), np.ones(3)), [2, 1, 0])
    with pytest.raises(ValueError, match="power"):
        balancer_config(block | {"power": -1.0})


def test_without_the_file_there_is_no_such_rule():
    with pytest.raises(ValueError, match="inverse_norm"):
        balancer_config({"level": "gradient", "rule": "inverse_norm"})
