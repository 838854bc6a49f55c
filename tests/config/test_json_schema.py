"""The JSON schema of params.yaml, as an editor applies it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from mtbalance import places
from mtbalance.config.json_schema import json_schema

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json_schema()


@pytest.fixture
def raw() -> Any:
    return json.loads(json.dumps(yaml.safe_load((ROOT / places.PARAMETERS).read_text(encoding="utf-8"))))


def faults(schema: dict[str, Any], raw: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(raw)]


def test_the_projects_own_file_has_no_fault(schema, raw):
    assert faults(schema, raw) == []


def test_the_file_that_editors_read_is_up_to_date(schema):
    kept = json.loads((ROOT / places.PARAMETERS_SCHEMA).read_text(encoding="utf-8"))
    assert kept == json.loads(json.dumps(schema)), "run: mtbalance schema"
    assert (
        (ROOT / places.PARAMETERS)
        .read_text(encoding="utf-8")
        .startswith(f"# yaml-language-server: $schema={places.PARAMETERS_SCHEMA}\n")
    )


@pytest.mark.parametrize(
    ("block", "key", "value"),
    [
        ("balancers.pub", "evry", 3),
        ("balancers.pub", "rule", "nsah"),
        ("balancers.pub", "every", 0),
        ("backbones.mmoe", "expert", 3),
        ("datasets.census_income", "adapter", "tabel"),
        ("experiments.demo", "seeds", [-1]),
        ("experiments.demo.training", "lr", 1),
        ("experiments.demo.model", "widht", 8),
    ],
)
def test_a_wrong_key_or_value_is_marked_where_it_stands(schema, raw, block, key, value):
    place = raw
    for name in block.split("."):
        place = place[name]
    place[key] = value
    assert [fault for fault in faults(schema, raw) if fault.startswith(f"$.{block}")]


def test_every_key_has_a_sentence(schema):
    missing = [
        f"{name}.{key}"
        for name, block in schema["$defs"].items()
        for key, option in block.get("properties", {}).items()
        if "description" not in option and "$ref" not in option and "anyOf" not in option
    ]
    assert not missing
