import json
from pathlib import Path

import pytest
import yaml

from mtbalance.config.addresses import parsed, shown
from mtbalance.config.datasets import RawFile
from mtbalance.config.reading import ParametersError, checked, parse


@pytest.mark.parametrize(
    ("address", "kind", "parts"),
    [
        ("https://h/a?b", "http", {}),
        ("http://127.0.0.1:80/a", "http", {}),
        ("hf:o/d@main/data/a b.parquet", "hf", {"dataset": "o/d", "revision": "main", "file": "data/a b.parquet"}),
        ("gdrive:1F0_-x/AliExpress_NL.zip", "gdrive", {"id": "1F0_-x", "name": "AliExpress_NL.zip"}),
        ("gdrive:1F0", "gdrive", {"id": "1F0", "name": None}),
    ],
)
def test_an_address_has_a_kind_and_parts(address: str, kind: str, parts: dict[str, str | None]):
    assert parsed(address) == (kind, parts)


@pytest.mark.parametrize(
    "address",
    ["ftp://h/a", "file:///a", "h/a", "https:///a", "hf:d@main/a", "hf:o/d/a", "hf:o/d@main/", "gdrive:a b"],
)
def test_an_address_of_no_kind_is_refused_when_parameters_are_read(address: str):
    said = r"^urls\.1: .* is no address that can be fetched; .* one of https://[^,]*, hf:.*gdrive:[^,]*$"
    with pytest.raises(ParametersError, match=said):
        checked(RawFile, f'{{"path": "a", "urls": ["https://h/a", "{address}"]}}')


def test_an_address_is_shown_without_secrets():
    assert shown("https://me:secret@h:8/a?key=secret#x") == "https://h:8/a?..."
    assert shown("hf:o/d@main/a?") == "hf:o/d@main/a?"


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("nyuv2.shards.source", "huggingface:x/y", "an address of a folder is"),
        ("aliexpress_nl.processed", "drive:abc", "an address of a folder is"),
        ("census_income.files.all.sha256", "5ac4", "String should match pattern"),
        ("census_income.files.all.bytes", -3, "greater than or equal to 1"),
    ],
)
def test_a_mistake_is_told_by_its_key_before_anything_is_fetched(path: str, value: object, says: str):
    raw = json.loads(json.dumps(yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text())))  # no aliases
    block = raw["datasets"]
    *parents, last = path.split(".")
    for parent in parents:
        block = block[parent]
    block[last] = value
    with pytest.raises(ParametersError, match=rf"^datasets\.{path}: .*{says}.*, not {value!r}$"):
        parse(raw)
