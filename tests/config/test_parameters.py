import copy
import json
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from mtbalance import places
from mtbalance.balancing.checking import balancer_options
from mtbalance.blocks import Contradictions
from mtbalance.config.kinds import kind, kinds, names_in
from mtbalance.config.reading import ParametersError, parse, read_parameters
from mtbalance.config.run import RunConfig, canonical
from mtbalance.faults import fault_lines
from mtbalance.registry import available

FILE = Path(__file__).parents[2] / "params.yaml"


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
        (
            "balancers.pub.rule",
            "nsah",
            r"balancers\.pub\.rule: no rule 'nsah'; .*nash.* \(did you mean nash\?\)",
        ),
        ("balancers.pub.every", 0, r"balancers\.pub\.every: .*greater than or equal to 1, not 0"),
        ("balancers.multibalance.gamma", 2.0, r"balancers\.multibalance[.:].*gamma.*"),
        ("balancers.ls", {"rule": "equal"}, r"balancers\.ls\.level: missing"),
        ("balancers.ls", {"level": "loss", "rule": "nash"}, r"balancers\.ls: .*[Nn]ash is not defined at level loss"),
        (
            "experiments.demo.model",
            {"widht": 8},
            r"demo\.model\.widht: unknown key; allowed: problem, emb",
        ),
        (
            "experiments.demo.model",
            {"problem": "scenes", "widht": 8},
            r"demo\.model\.widht: .*\(did you mean width\?\)",
        ),
        (
            "experiments.demo.model",
            {"problem": "scenes"},
            r"experiments\.demo\.training\.patience: this kind of problem has no single score: it must be 0",
        ),
        (
            "experiments.demo_scenes.training.selection",
            "valid",
            r"experiments\.demo_scenes\.training\.selection: this kind of problem has no single score: .* be last",
        ),
        ("experiments.demo.training.augment", True, r"demo\.training\.augment: only images have this; leave it out"),
        ("experiments.demo.tables", ["scenes"], r"experiments\.demo\.tables: ranking has no 'scenes'; allowed: auc"),
        (
            "backbones.mmoe",
            {"kind": "mtan"},
            r"demo\.grid: 'mmoe' \(kind mtan\) is no backbone for ranking",
        ),
        (
            "experiments.demo.datasets",
            ["synthetic_scenes"],
            r"datasets: 'synthetic_scenes' is data for scenes, but",
        ),
        (
            "experiments.demo.model",
            {"problem": "rankign"},
            r"model\.problem: no kind of problem 'rankign'; .*ranking",
        ),
        ("datasets.nyuv2.adapter", "nyu", r"datasets\.nyuv2\.adapter: no adapter 'nyu'; there are .*nyuv2"),
        ("datasets.nyuv2", {}, r"datasets\.nyuv2\.adapter: missing; one of aliexpress"),
        ("backbones.mmoe", {}, r"backbones\.mmoe\.kind: missing: a backbone needs one of mmoe"),
        ("backbones.mmoe.expert", 3, r"backbones\.mmoe\.expert: unknown key; .*did you mean experts"),
        ("backbones.mmoe.experts", 0, r"backbones\.mmoe\.experts: .*greater than or equal to 1, not 0"),
        ("experiments.demo.training.optimizer", {"name": "adm"}, r"optimizer\.name: no optimizer 'adm'; .*mean adam\?"),
        ("experiments.demo.training.lr", 1, r"experiments\.demo\.training\.lr: unknown key"),
        ("experiments.demo.training.optimizer", {"lr": -1}, r"experiments\.demo\.training\.optimizer\.lr: .* not -1"),
        ("experiments.demo.seeds", [-1], r"experiments\.demo\.seeds\.0: .*greater than or equal to 0, not -1"),
        ("experiments.level_study.seeds", [], r"level_study\.tables: 'auc' is made of runs, .*; allowed: cost"),
        ("experiments.level_study.seeds", [], r"level_study\.figures: 'auc' is made of runs, .*; allowed: speed"),
        ("experiments.demo.grid", {"mmoe": ["lsx"]}, r"experiments\.demo\.grid\.mmoe: 'lsx' is not defined.*mean ls\?"),
        ("datasets.census_income.split.trian", 1, r"datasets\.census_income\.split\.trian: .*did you mean train"),
        ("datasets.synthetic_nl.click_rate", 3, r"datasets\.synthetic_nl\.click_rate: .* not 3"),
        (
            "backbones.mmoe.kind",
            "mmeo",
            r"backbones\.mmoe\.kind: no backbone 'mmeo'; .*\(did you mean mmoe\?\)",
        ),
        ("preset", "dmeo", r"preset: 'dmeo' is not defined; allowed: .*did you mean demo"),
        ("presets.demo", ["demos"], r"presets\.demo: 'demos' is not defined"),
        ("color", "red", r"color: unknown key"),
        # combinations that make no sense
        (
            "experiments.demo.grid",
            {"single_task": ["pub"]},
            r"demo\.grid\.single_task: 'pub' balances .* shares nothing",
        ),
        ("experiments.demo.training.micro_batches", 2, r"balancers\.multibalance\.level: .*micro_batches must be 1"),
        ("balancers.graddrop.every", 3, r"balancers\.graddrop\.every: rule graddrop has no weights to keep.* not 3"),
        (
            "balancers.pub.max_norm",
            1.0,
            r"balancers\.pub\.max_norm: shortens a joint gradient, but this level combines updates",
        ),
        ("balancers.pub_adatask.between", "weighted_loss", r"balancers\.pub_adatask\.between: .*moments that adatask"),
        ("balancers.pub_clippy.between", "weighted_loss", r"balancers\.pub_clippy\.between: .*would not be clipped"),
        ("balancers.pub.clip", {"relative": 0.2}, r"balancers\.pub\.clip: acts only with manipulation: clippy"),
        ("balancers.ls.clip", {"relative": 0.2}, r"balancers\.ls\.clip: acts only with manipulation: clippy"),
        ("balancers.ls.preconditioner", "delayed", r"balancers\.ls\.preconditioner: acts only with manipulation"),
        ("balancers.clippy_adam.clip", {"accumulator": 0.1}, r"balancers\.clippy_adam\.clip\.accumulator: adam has no"),
        (
            "balancers.clippy_adam.clip",
            {"initial_accumulator": 0.2},
            r"balancers\.clippy_adam\.clip\.initial_accumulator: adam has no accumulator.*\(experiments\.demo\)",
        ),
        (
            "balancers.famo.min_losses",
            [0.0, 0.0, 0.0],
            r"^balancers\.famo\.min_losses: 3 values, not 2: data set synthetic_nl has 2 tasks",
        ),
        ("balancers.famo.min_losses", [], r"balancers\.famo: .*min_losses must be one number"),
        ("balancers.nashmtl.max_iterations", 9, r"balancers\.nashmtl\.max_iterations: acts only with solver: ccp"),
        ("experiments.demo.training.last_epochs", 2, r"training\.last_epochs: acts only with selection: last"),
        (
            "experiments.demo_scenes.training.last_epochs",
            99,
            r"demo_scenes\.training\.last_epochs: there are \d+ epochs",
        ),
        ("experiments.demo.training.schedule", {"factor": 0.1}, r"training\.schedule\.factor: acts only with every"),
    ],
)
def test_faults_are_named_with_their_path(raw, path, value, message):
    put(raw, path, value)
    with pytest.raises(ParametersError, match=message):
        parse(raw)


@pytest.mark.parametrize("what", ["tables", "figures"])
def test_every_table_and_figure_belongs_to_a_kind_of_problem(what):
    folder = f"mtbalance.reporting.{what}"
    files = {name for package in available(folder) for name in available(f"{folder}.{package}")}
    assert files == {name for problem in kinds() for name in names_in(getattr(kind(problem), what))}


def test_a_kind_of_problem_decides_what_an_experiment_leaves_open(raw):
    for key in ("tables", "figures"):
        raw["experiments"]["demo_scenes"].pop(key, None)
    for key in ("selection", "patience"):
        raw["experiments"]["demo_scenes"]["training"].pop(key, None)
    found = parse(raw).experiments["demo_scenes"]
    assert (found.training.selection, found.training.patience) == ("last", 0)
    assert found.tables == ("scenes",) and found.figures == ("scenes", "weights", "speed")


def test_an_experiment_without_seeds_is_only_timed(raw):
    put(raw, "experiments.demo.seeds", [])
    for key in ("tables", "figures"):
        raw["experiments"]["demo"].pop(key)
    parameters = parse(raw)
    found = parameters.experiments["demo"]
    assert parameters.runs("demo") == [] and (found.tables, found.figures) == (("cost",), ("speed",))
    timed = parameters.all_timing_runs("demo")
    assert {run.backbone.name for run in timed} == {"mmoe", "ple"} and {run.seed for run in timed} == {0}
    assert parse(parameters.excerpt("demo").model_dump(mode="json")).all_timing_runs("demo")


def test_an_experiment_without_seeds_needs_something_to_time(raw):
    put(raw, "experiments.demo.seeds", [])
    put(raw, "experiments.demo.grid", {"mmoe": ["pub"], "single_task": ["ls"]})
    with pytest.raises(ParametersError, match=r"experiments\.demo\.seeds: .* no backbone has the baseline and another"):
        parse(raw)


UPDATE = {"level": "update", "rule": "nash"}


@pytest.mark.parametrize(
    ("block", "key", "reason"),
    [
        (UPDATE | {"between": "weighted_loss", "manipulation": "clippy"}, "between", "would not be clipped"),
        (UPDATE | {"between": "weighted_loss", "manipulation": "adatask"}, "between", "would not move the moments"),
        (UPDATE | {"between": "weighted_loss", "moment_weights": "solved"}, "between", "moves the moments"),
        (UPDATE | {"between": "weighted_loss", "moment_weights": "ones"}, "between", "moves the moments"),
        ({"level": "update", "rule": "moco", "first_search": 2}, "first_search", "no weights to keep"),
        ({"level": "update", "rule": "moco", "rescale": "sum_to_1"}, "rescale", "no weights to rescale"),
        ({"level": "update", "rule": "moco", "rescale": "match_norm"}, "rescale", "no weights to rescale"),
        ({"level": "update", "rule": "moco", "moment_weights": "solved"}, "moment_weights", "no weights are solved"),
        ({"level": "update", "rule": "moco", "gram_over": "all"}, "gram_over", "not their Gram matrix"),
        ({"level": "gradient", "rule": "moco", "every": 2}, "every", "must be 1, not 2"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_combinations_that_make_no_sense_are_refused_with_the_reason(raw, block, key, reason):
    put(raw, "balancers.mine", block)
    with pytest.raises(ParametersError, match=rf"balancers\.mine\.{key}: .*{reason}"):
        parse(raw)
    with pytest.raises(Contradictions, match=rf"{key}: .*{reason}"):
        balancer_options(block)


def test_several_reasons_are_several_faults(raw):
    put(raw, "balancers.pub_adatask.between", "weighted_loss")
    put(raw, "balancers.pub_adatask.moment_weights", "solved")
    with pytest.raises(ParametersError) as error:
        parse(raw)
    assert len(str(error.value).splitlines()) == 2


@pytest.mark.parametrize(
    "block",
    [
        UPDATE | {"between": "weighted_loss", "moment_weights": "rescaled", "preconditioner": "present", "every": 10},
        UPDATE | {"between": "weighted_loss", "preconditioner": "delayed", "every": 10},
        UPDATE | {"manipulation": "adatask", "moment_weights": "rescaled", "preconditioner": "delayed"},
        UPDATE | {"gram_over": "all", "first_search": 2, "moment_weights": "solved"},
        {"level": "update", "rule": "imtl_g", "rescale": "sum_to_K"},
        {"level": "gradient", "rule": "nash", "max_norm": 1.0},
        {"level": "gradient", "rule": "graddrop", "max_norm": 1.0},
        {"level": "loss", "rule": "equal", "manipulation": "clippy", "preconditioner": "present", "max_norm": 1.0},
    ],
)
def test_what_goes_together_is_accepted_and_survives_json(raw, block):
    put(raw, "balancers.mine", block)
    put(raw, "experiments.demo.grid.mmoe", ["ls", "mine"])
    run = parse(raw).run("demo", "synthetic_nl", "mmoe", "mine", 0)
    assert RunConfig.model_validate_json(canonical(run)) == run
    assert block.items() <= run.model_dump()["balancer"]["options"].items()


def test_clippys_accumulator_goes_with_adagrad(raw):
    put(raw, "balancers.clippy_adam.clip", {"accumulator": 0.1, "initial_accumulator": 0.2})
    names = [name for name, block in raw["experiments"].items() if "clippy_adam" in str(block["grid"])]
    for experiment in names:
        put(raw, f"experiments.{experiment}.training.optimizer", {"name": "adagrad"})
    run = parse(raw).run("demo", "synthetic_nl", "mmoe", "clippy_adam", 0)
    with pytest.raises(ValidationError) as error:
        RunConfig.model_validate_json(canonical(run).replace('"name":"adagrad"', '"name":"rmsprop"'))
    lines = list(fault_lines(error.value, {}))
    assert [line.split(": ")[0] for line in lines] == [
        "balancer.options.clip.accumulator",
        "balancer.options.clip.initial_accumulator",
    ]
    assert all("rmsprop has no accumulator" in line for line in lines)


def test_a_value_for_each_of_three_tasks_is_accepted_where_there_are_three(raw):
    put(raw, "datasets.census_income.tasks.third", {"column": "third", "positive": ["yes"]})
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
    run = read_parameters(FILE).run("demo", "synthetic_nl", "ple", "multibalance", 1)
    again = RunConfig.model_validate_json(canonical(run))
    assert canonical(again) == canonical(run) and again.digest() == run.digest()


def test_a_run_depends_on_its_own_blocks_only(raw):
    def digests(parameters):
        return {places.RECORD.format(**run.wildcards): run.digest() for run in parameters.runs("demo")}

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
    put(changed, "experiments.census.title", "Another")
    put(changed, "experiments.census.tables", ["auc"])
    put(changed, "tables.significance", 0.01)
    assert canonical(parse(changed).excerpt("census")) == canonical(whole.excerpt("census"))


@pytest.mark.parametrize(
    ("grid", "timed"),
    [
        ({"mmoe": ["ls", "pub"], "ple": ["ls"]}, ["mmoe"]),
        ({"mmoe": ["pub", "nashmtl"]}, []),  # no baseline to be compared with
        ({"mmoe": ["pub"], "ple": ["mgda", "ls"]}, ["ple"]),
    ],
)
def test_what_is_timed_is_run_too(raw, grid, timed):
    put(raw, "experiments.demo.grid", grid)
    parameters = parse(raw)
    assert [backbone for _, backbone in parameters.timed("demo")] == timed
    digests = {run.digest() for run in parameters.runs("demo")}
    for dataset, backbone in parameters.timed("demo"):
        assert {run.digest() for run in parameters.timing_runs("demo", dataset, backbone)} <= digests


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"params\.yaml is not here: run this in the project's folder"),
        ("a: [", r"params\.yaml.*cannot be read as YAML"),
        ("", r"params\.yaml holds no keys"),
        ("- demo", r"params\.yaml holds no keys"),
    ],
)
def test_a_file_that_holds_no_parameters_is_named(tmp_path, text, message):
    if text is not None:
        (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(ParametersError, match=message):
        read_parameters(tmp_path / "params.yaml")


def test_the_shipped_presets_are_those_of_the_documentation(raw):
    parameters = parse(raw)
    assert parameters.preset == "demo" and {"demo", "census", "paper"} <= set(parameters.presets)
    for dataset in parameters.experiments["demo"].datasets:
        assert "synthetic" in dataset


def test_the_ladder_asks_what_the_papers_presets_ask_in_less():
    parameters = read_parameters(FILE)
    runs = {name: len(parameters.runs(name)) for name in ("nyuv2_first", "paper_nl_first", "paper_nl", "paper_text")}
    assert runs == {"nyuv2_first": 4, "paper_nl_first": 5, "paper_nl": 155, "paper_text": 4 * 155}
    found = parameters.experiments
    assert found["nyuv2_first"].grid == {"mtan": ["ls", "nashmtl_nyuv2", "pub", "multibalance"]}
    assert found["nyuv2_first"].model.width == found["nyuv2_text"].model.width // 2
    assert found["paper_nl_first"].grid == {"mmoe": ["ls", "nashmtl", "pub", "multibalance", "adatask"]}
    assert found["paper_nl_first"].training.batch_size == found["paper_text"].training.batch_size
    same = {"title": "", "datasets": ["aliexpress_nl"]}
    assert found["paper_nl"].model_copy(update=same) == found["paper_text"].model_copy(update=same)


def test_a_table_decides_how_its_numbers_are_taken_where_the_experiment_does_not(raw):
    def numbers(experiment, *cell):
        return parse(raw).run(experiment, *cell, "mmoe", "ls", 0).model.numbers

    assert numbers("census", "census_income") == "piecewise"
    assert numbers("demo", "synthetic_nl") is None
    put(raw, "experiments.census.model.numbers", "fields")
    assert numbers("census", "census_income") == "fields"
