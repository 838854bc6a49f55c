"""Runs by their names, as one types them, and what is said of wrong ones."""

from pathlib import Path

import pytest

from mtbalance.config.by_name import record_of_try, run_named
from mtbalance.config.reading import ParametersError, read_parameters

PARAMETERS = read_parameters(Path(__file__).parents[2] / "params.yaml")


def test_a_name_is_a_run_of_the_grid():
    expected = PARAMETERS.run("demo", "synthetic_nl", "mmoe", "pub", 0)
    assert run_named(PARAMETERS, "demo/mmoe/pub/0") == run_named(PARAMETERS, "demo/synthetic_nl/mmoe/pub/0") == expected


def test_keys_are_replaced_wherever_they_lie():
    changes = ["balancer.every=5", "training.optimizer.lr=0.5", "model.embedding=3", "backbone.experts=2"]
    run = run_named(PARAMETERS, "demo/mmoe/pub/7", changes)
    assert (run.balancer.options.every, run.training.optimizer.lr, run.model.embedding) == (5, 0.5, 3)
    assert (run.backbone.options.experts, run.seed) == (2, 7)


def test_keys_may_be_as_short_as_those_of_a_variant():
    run = run_named(PARAMETERS, "demo/mmoe/pub/0", ["optimizer.lr=0.5", "every=5", "epochs=2"])
    assert (run.training.optimizer.lr, run.balancer.options.every, run.training.epochs) == (0.5, 5, 2)


def record_of(*changes):
    return str(record_of_try(run_named(PARAMETERS, "demo/mmoe/pub/0", changes), changes))


@pytest.mark.parametrize("text", ["optimizer.lr=0.003", "training.optimizer.lr=3e-3", "optimizer.lr=3.0e-3"])
def test_one_configuration_has_one_record(text):
    assert record_of(text).endswith("/seed-0+training.optimizer.lr=0.003.json")


def test_each_try_has_a_record_of_its_own():
    found = {record_of(*changes) for changes in ([], ["every=5"], ["model.expert=[8, 4]"], ["rule=imtl_g", "every=2"])}
    names = ("", "+balancer.every=5", "+model.expert=_8_4_", "+balancer.every=2+balancer.rule=imtl_g")
    assert found == {f"results/tried/demo/synthetic_nl/mmoe/pub/seed-0{name}.json" for name in names}


def test_another_rule_has_defaults_of_its_own():
    run = run_named(PARAMETERS, "demo/mmoe/mgda/0", ["rule=nash"])
    assert run.balancer.options == run_named(PARAMETERS, "demo/mmoe/nashmtl/0", ["every=1"]).balancer.options
    with pytest.raises(ParametersError, match=r"^balancer\.every: "):
        run_named(PARAMETERS, "demo/mmoe/nashmtl/0", ["rule=equal"])


def test_a_balancer_may_be_a_variant():
    assert run_named(PARAMETERS, "demo/mmoe/pub@every=5/0").balancer.options.every == 5


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("dmo/mmoe/pub/0", [], "did you mean demo"),
        ("demo/mmo/pub/0", [], "did you mean mmoe"),
        ("demo/mmoe/pbu/0", [], "did you mean pub"),
        ("demo/mmoe/pub@every/0", [], "a variant is written"),
        ("demo/mmoe/pub", [], "demo/mmoe/pub is not the name of a run: it is EXPERIMENT/"),
        ("demo/mmoe/pub/first", [], "is not the name of a run"),
        ("section3/mmoe/ls/0", [], "where there are several data sets"),
        ("section3/synthetic_n/mmoe/ls/0", [], "did you mean synthetic_nl"),
        ("demo/mmoe/pub/0", ["every"], "is not key=value, such as balancer.every=5"),
        ("demo/mmoe/pub/0", ["balancer.evry=5"], "balancer.evry: "),
        ("demo/mmoe/pub/0", ["balancer.every=0"], "balancer.every: "),
        ("demo/mmoe/pub/0", ["training.epochs=none"], "training.epochs: "),
    ],
)
def test_what_is_wrong_is_named(name, changes, said):
    with pytest.raises(ParametersError) as error:
        run_named(PARAMETERS, name, changes)
    assert said in str(error.value)
