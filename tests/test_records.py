"""Records: what is written is read again, and what cannot be used is refused with its file and a remedy."""

import json
import math
import random

import pytest
from pydantic import ValidationError

from mtbalance.config.run import RunConfig
from mtbalance.errors import UserError
from mtbalance.records import FORMAT, RunRecord, TimingRecord, read_run, read_timing, write_record
from sample_records import epoch_record, run_record

CONFIG = RunConfig(
    experiment="any",
    dataset="synthetic_any",
    backbone={"name": "mmoe", "options": {"kind": "mmoe"}},
    balancer={"name": "ls", "options": {"level": "loss", "rule": "equal"}},
    model={},
    training={"epochs": 1},
    seed=0,
)
EVALUATION = {"auc": {"click": 0.1 + 0.2, "buy": 1 / 3}, "mean_auc": 0.7}
REMEDY = "delete the file and run the workflow again"


def a_record() -> RunRecord:
    epochs = [epoch_record(1, ["click", "buy"], EVALUATION, diagnostics={"cosine": 1e-17})]
    return run_record(CONFIG, {"click": ("CTR", {"auc": 1}), "buy": ("CVR", {"auc": 1})}, epochs, EVALUATION)


def written(folder, change=lambda content: None):
    """The file of a record, changed."""
    path = folder / "record.json"
    write_record(path, a_record())
    content = json.loads(path.read_text())
    del content["checksum"]  # as in older records
    change(content)
    path.write_text(json.dumps(content))
    return path


def refused(read, path):
    with pytest.raises(UserError) as error:
        read(path)
    message = str(error.value)
    assert message.startswith(str(path)) and message.endswith(REMEDY)
    return message


def test_what_is_written_is_read_again_to_the_last_bit(tmp_path):
    path = written(tmp_path)
    assert read_run(path) == a_record()
    assert json.loads(path.read_text())["format"] == FORMAT == 4
    assert [file.name for file in tmp_path.iterdir()] == ["record.json"]


@pytest.mark.parametrize("read", [read_run, read_timing])
def test_another_version_is_refused(read, tmp_path):
    path = written(tmp_path, lambda content: content.update(format=3))
    assert "has format 3, not 4" in refused(read, path)
    path = written(tmp_path, lambda content: content.pop("format"))
    assert "has format None, not 4" in refused(read, path)


@pytest.mark.parametrize("text", ["", "{", "[1]", '"format"', "\x80"])
def test_a_broken_file_is_refused(text, tmp_path):
    path = tmp_path / "record.json"
    path.write_bytes(text.encode("latin-1"))
    refused(read_run, path)


def test_wrong_fields_are_refused_by_name(tmp_path):
    def change(content):
        content["model"]["shared"] = "many"
        content["epochs"][0]["evaluation"] = None
        del content["digest"]
        content["extra"] = 1

    message = refused(read_run, written(tmp_path, change))
    assert "RunRecord of format 4" in message
    for field in ("model.shared: ", "epochs.0.evaluation: ", "digest: ", "extra: "):
        assert field in message


def test_a_run_is_no_timing(tmp_path):
    assert "TimingRecord of format 4" in refused(read_timing, written(tmp_path))


def test_a_missing_file_is_told_with_what_to_do(tmp_path):
    with pytest.raises(UserError, match=r"none\.json is missing; run the workflow again"):
        read_run(tmp_path / "none.json")


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_refused(number, tmp_path):
    with pytest.raises(ValidationError, match="finite"):
        epoch_record(1, ["click"], {"auc": {"click": number}})
    record = a_record().model_copy(update={"config": {"lr": number}})
    with pytest.raises(ValueError, match="JSON compliant"):
        write_record(tmp_path / "record.json", record)
    assert list(tmp_path.iterdir()) == []
    refused(read_run, written(tmp_path, lambda content: content.update(peak_memory_mb=number)))


@pytest.mark.parametrize("kind", [RunRecord, TimingRecord])
def test_every_block_and_field_of_the_schema_has_a_sentence(kind):
    schema = kind.model_json_schema()
    blocks = {kind.__name__: schema, **schema["$defs"]}
    silent = [name for name, block in blocks.items() if not block.get("description", "").endswith(".")]
    silent += [
        f"{name}.{field}"
        for name, block in blocks.items()
        for field, facts in block["properties"].items()
        if not facts.get("description", "").endswith(".")
    ]
    assert silent == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda content: content["test"]["auc"].update(click=1.5), "auc of click is 1.5"),
        (lambda content: content["test"].update(mean_auc=-1), "mean_auc is -1"),
        (lambda content: content["test"]["auc"].update(click="0.9"), "test.auc"),
        (lambda content: content["test"]["auc"].update(click=math.nan), "finite"),
        (lambda content: content.update(test=None), "finished goes with test metrics"),
        (lambda content: content.update(status="diverged"), "diverged goes without test metrics"),
        (lambda content: content.update(best_epoch=2), "best_epoch is 2 of 1"),
        (lambda content: content["epochs"][0].update(epoch=2), "not numbered from 1"),
        (lambda content: content["config"].update(seed=1), "is not that of the configuration"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, change, found):
    assert found in refused(read_run, written(tmp_path, change))


def test_one_changed_byte_is_found_wherever_it_is(tmp_path):
    path = tmp_path / "record.json"
    write_record(path, a_record())
    content, draws = path.read_bytes(), random.Random(0)
    for _ in range(200):
        changed = bytearray(content)
        changed[draws.randrange(len(content))] = draws.randrange(256)
        path.write_bytes(changed)
        try:
            assert read_run(path) == a_record()
        except UserError as error:
            assert str(error).startswith(str(path)) and "\n" not in str(error) and len(str(error)) < 1000
