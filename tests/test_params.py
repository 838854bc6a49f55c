import copy
import json
from pathlib import Path

import pytest
import yaml

from mtbalance.config import RunConfig, canonical
from mtbalance.params import ParametersError, load, parse

FILE = Path(__file__).parent.parent / "params.yaml"


@pytest.fixture
def raw():
    return json.loads(json.dumps(yaml.safe_load(FILE.read_text())))  # without the aliases of YAML: blocks are edited


def put(raw, path, value):
    *parents, last = path.split(".")
    for key in parents:
        raw = raw[key]
    raw[last] = value


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("balancers.pub.evrey", 5, r"balancers\.pub\.evrey: unknown key; allowed: .*every.*\(did you mean every\?\)"),
        ("balancers.mgda.rho", 0.1, r"balancers\.mgda\.rho: unknown key; allowed: level, rule, .*normalization"),
        ("balancers.pub.rule", "nsah", r"balancers\.pub\.rule: .*'nash'.* not 'nsah'"),
        ("balancers.pub.every", 0, r"balancers\.pub\.every: .*greater than or equal to 1, not 0"),
        ("balancers.multibalance.gamma", 2.0, r"balancers\.multibalance: .*gamma must be above 0"),
        ("balancers.ls", {"rule": "equal"}, r"balancers\.ls\.level: missing"),
        ("balancers.ls", {"level": "loss", "rule": "nash"}, r"balancers\.ls: .*Nash is not defined at level loss"),
        ("experiments.demo.training.lr", 1, r"experiments\.demo\.training\.lr: unknown key"),
        ("experiments.demo.training.optimizer", {"lr": -1}, r"experiments\.demo\.training\.optimizer\.lr: .* not -1"),
        ("experiments.demo.seeds", [], r"experiments\.demo\.seeds: .*at least 1"),
        ("experiments.demo.grid", {"mmoe": ["lsx"]}, r"experiments\.demo\.grid\.mmoe: 'lsx' is not defined.*mean ls\?"),
        ("datasets.census_income.split.trian", 1, r"datasets\.census_income\.split\.trian: .*did you mean train"),
        ("datasets.synthetic_nl.click_rate", 3, r"datasets\.synthetic_nl\.click_rate: .* not 3"),
        ("backbones.mmoe.kind", "mmeo", r"backbones\.mmoe: .*'mmoe'"),
        ("preset", "dmeo", r"preset: 'dmeo' is not defined; allowed: .*did you mean demo"),
        ("presets.demo", ["demos"], r"presets\.demo: 'demos' is not defined"),
        ("colour", "red", r"colour: unknown key"),
        (
            "balancers.famo.min_losses",
            [0.0, 0.0, 0.0],
            r"^balancers\.famo\.min_losses: 3 values, not 2: data set synthetic_nl has 2 tasks",
        ),
        ("balancers.famo.min_losses", [], r"balancers\.famo: .*min_losses must be one number"),
    ],
)
def test_faults_are_named_with_their_path(raw, path, value, message):
    put(raw, path, value)
    with pytest.raises(ParametersError, match=message):
        parse(raw)


def test_a_value_for_each_of_three_tasks_is_accepted_where_there_are_three(raw):
    put(raw, "datasets.census_income.tasks.sex", {"column": "sex", "positive": ["Male"]})
    put(raw, "balancers.famo.min_losses", [0.0, 0.1, 0.2])
    with pytest.raises(ParametersError, match=r"famo\.min_losses: 3 values, not 2: data set synthetic_nl has 2 tasks"):
        parse(raw)
    census = raw["experiments"]["census"] | {"grid": {"mmoe": ["famo"]}}
    parameters = parse(raw | {"preset": "census", "presets": {"census": ["census"]}, "experiments": {"census": census}})
    assert parameters.run("census", "census_income", "mmoe", "famo", 0).balancer.options.min_losses == [0.0, 0.1, 0.2]


def test_every_fault_is_told_at_once(raw):
    put(raw, "balancers.pub.evrey", 5)
    put(raw, "experiments.demo.training.epochs", "many")
    with pytest.raises(ParametersError) as error:
        parse(raw)
    assert len(str(error.value).splitlines()) == 2


def test_a_run_survives_json():
    run = load(FILE).run("demo", "synthetic_nl", "ple", "multibalance", 1)
    again = RunConfig.model_validate_json(canonical(run))
    assert canonical(again) == canonical(run) and again.digest() == run.digest()


def test_a_run_depends_on_its_own_blocks_only(raw):
    def digests(parameters):
        return {run.cell: run.digest() for run in parameters.runs("demo")}

    before = digests(parse(raw))
    put(raw, "balancers.pub.every", 7)
    after = digests(parse(raw))
    changed = {cell for cell in before if before[cell] != after[cell]}
    assert changed == {cell for cell in before if "/pub/" in cell}


def test_the_order_of_keys_does_not_matter(raw):
    turned = {key: dict(reversed(block.items())) if isinstance(block, dict) else block for key, block in raw.items()}
    assert [run.digest() for run in parse(turned).runs("demo")] == [run.digest() for run in parse(raw).runs("demo")]


def test_an_excerpt_is_enough_and_no_more(raw):
    whole = parse(raw)
    part = parse(whole.excerpt("census").model_dump(mode="json"))
    assert [run.digest() for run in part.runs("census")] == [run.digest() for run in whole.runs("census")]
    changed = copy.deepcopy(raw)
    put(changed, "datasets.synthetic_nl.train_rows", 10)
    assert canonical(parse(changed).excerpt("census")) == canonical(whole.excerpt("census"))


def test_the_shipped_presets_are_those_of_the_documentation(raw):
    parameters = parse(raw)
    assert parameters.preset == "demo" and {"demo", "census", "paper"} <= set(parameters.presets)
    for dataset in parameters.experiments["demo"].datasets:
        assert "synthetic" in dataset
