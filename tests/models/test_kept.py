"""A kept model is read back as it was written, and what is no kept model is refused with the reason."""

from __future__ import annotations

import json
import random

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from mtbalance.errors import UserError
from mtbalance.models.kept import keep_model, read_model
from tiny_problems import configure

WEIGHTS = {"table.weight": torch.arange(6.0).reshape(2, 3), "norm.count": torch.tensor(3)}


def test_weights_configuration_and_schema_are_kept(tmp_path):
    path, run = tmp_path / "seed-0.model.safetensors", configure("ranking")
    keep_model(path, run, '{"dataset": "any"}', WEIGHTS)
    found = read_model(path)
    assert found.config == run and json.loads(found.schema.read_text()) == {"dataset": "any"}
    assert found.weights.keys() == WEIGHTS.keys()
    assert all(torch.equal(found.weights[name], WEIGHTS[name]) for name in WEIGHTS)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["seed-0.model.safetensors", "seed-0.model.schema.json"]


def test_the_same_model_has_the_same_bytes(tmp_path):
    for name in ("a.safetensors", "b.safetensors"):
        keep_model(tmp_path / name, configure("ranking"), "{}", WEIGHTS)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_what_cannot_be_used_is_refused_with_the_reason(tmp_path):
    path, run = tmp_path / "a.safetensors", configure("ranking")
    with pytest.raises(UserError, match=r"a\.safetensors is missing: a kept model is a\.safetensors and, beside it"):
        read_model(path)
    keep_model(path, run, "{}", {})
    with pytest.raises(UserError, match="has no weights: its run diverged"):
        read_model(path)
    keep_model(path, run, "{}", WEIGHTS)
    (tmp_path / "a.schema.json").write_text("{ }")
    with pytest.raises(UserError, match=r"a\.schema\.json is not the schema that a\.safetensors was trained with"):
        read_model(path)
    save_file(WEIGHTS, path)
    with pytest.raises(UserError, match="is no model that a run of mtbalance kept"):
        read_model(path)
    path.write_bytes(b"no safetensors")
    with pytest.raises(UserError, match="cannot be read as safetensors"):
        read_model(path)


def test_one_changed_byte_is_found_wherever_it_is(tmp_path):
    path, draws = tmp_path / "a.safetensors", random.Random(0)
    keep_model(path, configure("ranking"), "{}", WEIGHTS)
    content, weights = path.read_bytes(), read_model(path).weights
    for place in [*range(0, len(content), 17), *range(len(content) - 32, len(content))]:
        changed = bytearray(content)
        changed[place] ^= 1 << draws.randrange(8)
        path.write_bytes(changed)
        try:
            assert all(torch.equal(value, weights[name]) for name, value in read_model(path).weights.items())
        except UserError as error:
            assert str(error).startswith(str(path)) and "\n" not in str(error)


def test_a_model_without_a_checksum_is_of_an_older_version_and_is_read(tmp_path):
    path = tmp_path / "a.safetensors"
    keep_model(path, configure("ranking"), "{}", WEIGHTS)
    with safe_open(path, "pt") as stored:
        facts = json.loads(stored.metadata()["mtbalance"])
    del facts["checksum"]
    save_file(WEIGHTS, path, {"mtbalance": json.dumps(facts)})
    assert read_model(path).weights.keys() == WEIGHTS.keys()
