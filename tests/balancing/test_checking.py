"""What a balancer can be told is declared once, with a sentence, and known without torch."""

import inspect
import subprocess
import sys

import pytest

from entries import rule_class
from mtbalance import Balancer
from mtbalance.balancing.checking import balancer_options, balancer_schema
from mtbalance.balancing.options import LEVELS, OptimizerOptions
from mtbalance.registry import available

RULES = available("mtbalance.balancing.rules")


@pytest.mark.parametrize(
    ("level", "rule"), [(level, rule) for level in LEVELS for rule in RULES if level in rule_class(rule).levels]
)
def test_every_option_of_every_balancer_has_a_sentence(level, rule):
    schema = balancer_schema(level, rule).model_json_schema()
    blocks = [schema, OptimizerOptions.model_json_schema(), *schema.get("$defs", {}).values()]
    silent = [key for block in blocks for key, option in block["properties"].items() if not option.get("description")]
    assert not silent


def test_the_optimizers_defaults_are_those_of_its_options():
    arguments = inspect.signature(Balancer.__init__).parameters
    own = {"name": arguments["optimizer"].default} | {
        key: arguments[key].default for key in ("lr", "weight_decay", "decay")
    }
    assert own == OptimizerOptions().model_dump()


@pytest.mark.parametrize(
    ("rule", "option"), [("bandit", {"eta": -1.0}), ("nash", {"max_iterations": 0}), ("cagrad", {"c": -0.1})]
)
def test_values_out_of_an_options_range_are_refused_by_key(rule, option):
    level = rule_class(rule).levels[0]
    with pytest.raises(ValueError, match=next(iter(option))):
        balancer_options({"level": level, "rule": rule, **option})


def test_options_are_checked_without_torch():
    program = (
        "import sys\n"
        "from mtbalance.balancing.checking import balancer_options, rule_options\n"
        "from mtbalance.balancing.options import RULES\n"
        "from mtbalance.balancing.rules import Rule\n"
        "from mtbalance.registry import available, entry\n"
        "for rule in available(RULES):\n"
        "    for level in entry(RULES, rule, Rule).levels:\n"
        "        balancer_options({'level': level, 'rule': rule})\n"
        "assert 'torch' not in sys.modules, 'torch was imported'\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
