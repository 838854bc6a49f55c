"""Names, checksums and paths of params.yaml that would mean something in a shell, in a path or to Snakemake."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from mtbalance.config.parameters import Parameters
from mtbalance.config.reading import ParametersError, checked, parse
from mtbalance.config.run import RunConfig, canonical
from workflow_tree import TINY

NAMED = ("presets", "experiments", "datasets", "backbones", "balancers")
WRONG = (
    "synthetic$(touch made)",
    "synthetic`touch made`",
    "synthetic;touch made",
    "../../../made",
    "a/b",
    "a..b",
    "..",
    ".a",
    "-a",
    "a b",
    "a\nb",
    "a{dataset}",
    "a*",
    "",
    "é",
)
VARIANTS = ("$(touch${IFS}made)", "`made`", ";made", "../made", "a..b", "{dataset}", "*", "'a'", "[[[[", "&a")


def raw() -> dict[str, Any]:
    return copy.deepcopy(TINY)


def with_raw_file(**facts: Any) -> Parameters:
    table = {"adapter": "table", "files": {"all": facts}, "categorical": ["c"], "tasks": {"t": {"column": "y"}}}
    table["tasks"]["t"]["positive"] = ["1"]
    table["split"] = {"train": 0.6, "valid": 0.2, "test": 0.2}
    return parse(TINY | {"datasets": TINY["datasets"] | {"mine": table}})


@pytest.mark.parametrize("block", NAMED)
@pytest.mark.parametrize("name", WRONG)
def test_a_name_that_means_something_elsewhere_is_refused(block: str, name: str):
    chosen = raw()
    chosen[block] = {name: next(iter(chosen[block].values())), **chosen[block]}
    with pytest.raises(
        ParametersError, match=rf"^{block}\..*a name of letters, digits, _, - and single points"
    ) as error:
        parse(chosen)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["a", "A-1", "2024.05_b", "nl-first", "a.b.c", "x."])
def test_other_names_are_taken(name: str):
    chosen = raw()
    chosen["datasets"][name] = chosen["datasets"]["synthetic_a"]
    chosen["experiments"]["tiny"]["datasets"] = [name]
    assert {run.dataset for run in parse(chosen).runs("tiny")} == {name}


@pytest.mark.parametrize("value", VARIANTS)
def test_the_value_of_a_variant_is_as_safe(value: str):
    chosen = raw()
    chosen["experiments"]["tiny"]["grid"] = {"mmoe": ["ls", f"pub@rescale={value}"]}
    with pytest.raises(ParametersError, match=r"^experiments\.tiny\.grid\.mmoe: pub@rescale="):
        parse(chosen)


def test_a_value_that_is_tuned_is_as_safe():
    chosen = raw()
    rates = {"optimizer.lr": [0.001, 0.002]}
    chosen["experiments"]["tiny"] |= {
        "grid": {"mmoe": ["ls", "pub"]},
        "tuning": {"trials": 2, "grid": rates, "options": {"pub": {"rescale": ["$(touch${IFS}made)"], **rates}}},
    }
    with pytest.raises(ParametersError, match=r"^experiments\.tiny\.tuning: .*is not key=value"):
        parse(chosen)


def test_the_baseline_is_a_balancer():
    with pytest.raises(ParametersError, match=r"^tables\.baseline: 'ls\$\(touch made\)' is not defined"):
        parse(TINY | {"tables": {"baseline": "ls$(touch made)"}})


@pytest.mark.parametrize("key", ["experiment", "dataset", "backbone.name", "balancer.name"])
def test_a_job_takes_no_other_names_either(key: str):
    config = parse(TINY).runs("tiny")[0].model_dump(mode="json")
    assert checked(RunConfig, canonical(RunConfig.model_validate(config)))
    *parents, last = key.split(".")
    block = config
    for parent in parents:
        block = block[parent]
    block[last] = "../../made"
    with pytest.raises(ValueError, match="a name of letters"):
        RunConfig.model_validate(config)


@pytest.mark.parametrize(
    "path",
    [
        *("/data/raw/a.csv", "a.csv", "data/raw", "data/rawer/a.csv", "data/raw/../../a.csv"),
        *("data/raw/{b}.csv", "data/raw/a\nb.csv", "~/data/raw/a.csv"),
    ],
)
def test_a_raw_file_lies_in_the_folder_of_raw_files(path: str):
    with pytest.raises(ParametersError, match=r"^datasets\.mine\.files\.all\.path: a path in data/raw, without braces"):
        with_raw_file(path=path)


def test_raw_files_may_have_any_other_name():
    path = "data/raw/mine/it's $(mine) 100%.csv"
    assert with_raw_file(path=path).datasets["mine"].raw_files()[0].path == path


def test_so_does_a_folder_of_raw_files():
    chosen = raw()
    chosen["datasets"]["nyuv2"]["folder"] = "../elsewhere"
    with pytest.raises(ParametersError, match=r"^datasets\.nyuv2\.folder: a path in data/raw"):
        parse(chosen)


@pytest.mark.parametrize("sha256", ["a$(touch made)", "0" * 63, "0" * 64 + "\n", "g" * 64, " " + "0" * 64])
def test_a_checksum_is_64_hexadecimal_digits(sha256: str):
    with pytest.raises(ParametersError, match=r"^datasets\.mine\.files\.all\.sha256: String should match"):
        with_raw_file(path="data/raw/a.csv", sha256=sha256)
