"""Every rule of the package holds every point of the contract."""

import sys
from pathlib import Path

import pytest

from mtbalance.balancing.contract.checks import CHECKS
from mtbalance.balancing.contract.verdicts import Subject, judge
from rule_cases import RULES

NOT_ASKED = {(name, "permutation") for name, rule in RULES.items() if rule.draws or not rule.symmetric}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_it_holds(check, name):
    verdict = judge(check, subject(name))
    assert verdict.outcome == ("not asked" if (name, check.name) in NOT_ASKED else "holds"), verdict.found


@pytest.mark.parametrize("name", ["nash"])
def test_it_holds_with_an_option(name):
    for check in CHECKS:
        verdict = judge(check, subject(name, without_solution="equal"))
        assert verdict.outcome == "holds", verdict.found


def subject(name: str, **options) -> Subject:
    return Subject(RULES[name], Path(sys.modules[RULES[name].__module__].__file__).resolve(), options)
