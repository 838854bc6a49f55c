"""What a balancer can be told is declared once, with a sentence, and known without torch."""

import subprocess
import sys

import pytest

from entries import rule_class
from mtbalance.balancing.checking import balancer_options, balancer_schema, task_faults
from mtbalance.balancing.options import LEVELS, OptimizerOptions
from mtbalance.blocks import Contradictions
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


@pytest.mark.parametrize(
    ("rule", "option"), [("bandit", {"eta": -1.0}), ("nash", {"max_iterations": 0}), ("cagrad", {"c": -0.1})]
)
def test_values_out_of_an_options_range_are_refused_by_key(rule, option):
    level = rule_class(rule).levels[0]
    with pytest.raises(ValueError, match=next(iter(option))):
        balancer_options({"level": level, "rule": rule, **option})


NASH, EQUAL = {"level": "update", "rule": "nash"}, {"level": "update", "rule": "equal"}
GRADNORM = {"level": "update", "rule": "gradnorm", "gram_over": "all"}


@pytest.mark.parametrize(
    ("block", "key", "reason"),
    [
        (NASH | {"between": "weighted_loss"}, "between", "acts only with every above 1"),
        ({"level": "gradient", "rule": "nash", "between": "task_updates"}, "between", "acts only with every above 1"),
        ({"level": "gradient", "rule": "equal", "every": 2}, "every", "nothing to search"),
        (EQUAL | {"every": 2}, "every", "nothing to search"),
        (EQUAL | {"gram_over": "all"}, "gram_over", "whatever the Gram matrix is"),
        (GRADNORM, "gram_over", "sees only"),
        (NASH | {"rescale": "none", "moment_weights": "solved"}, "moment_weights", "use rescaled"),
    ],
)
def test_options_that_nothing_acts_on_are_refused(block, key, reason):
    with pytest.raises(Contradictions, match=rf"^{key}: .*{reason}"):
        balancer_options(block)


@pytest.mark.parametrize(
    "block",
    [
        NASH | {"between": "task_updates"},  # the default
        NASH | {"between": "weighted_loss", "every": 2},
        NASH | {"between": "weighted_loss", "first_search": 2},
        {"level": "gradient", "rule": "nash", "between": "task_updates", "every": 2},
        EQUAL | {"every": 1, "gram_over": "shared"},
        NASH | {"gram_over": "all"},
        GRADNORM | {"norms": "all"},
        GRADNORM | {"rescale": "match_norm"},
        NASH | {"rescale": "none", "moment_weights": "rescaled"},
        NASH | {"rescale": "none", "moment_weights": "ones"},
    ],
)
def test_options_that_act_or_are_the_default_are_accepted(block):
    options = balancer_options(block)
    assert block.items() <= options.model_dump().items()
    assert balancer_options(options.model_dump()) == options


def test_a_form_of_weight_decay_needs_a_weight_decay():
    with pytest.raises(ValueError, match="decay: acts only with weight_decay above 0"):
        OptimizerOptions(decay="coupled")
    assert OptimizerOptions(decay="coupled", weight_decay=1e-6).decay == "coupled"
    assert OptimizerOptions.model_validate(OptimizerOptions().model_dump()) == OptimizerOptions()


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


def test_a_target_is_held_against_the_number_of_tasks_once_that_is_known():
    options = balancer_options({"level": "gradient", "rule": "metabalance", "target": 4})
    assert task_faults(options, list("abcde"), "balancers.x") == []
    assert task_faults(options, list("abcd"), "balancers.x") == [
        "balancers.x.target: must be at most 3, the number of the last task"
    ]
