"""Backbones and the kinds of problem that they are for."""

import pytest

from mtbalance.config.kinds import kind, kinds
from mtbalance.config.models import backbone_kinds
from mtbalance.registry import available


def test_every_backbone_is_for_a_kind_of_problem():
    packages = {kind(name).models for name in kinds()}
    assert sorted(backbone_kinds()) == sorted(name for package in packages for name in available(package))


@pytest.mark.parametrize("name", kinds())
def test_sizes_say_their_kind_of_problem(name):
    assert kind(name).sizes().problem == name
