from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from mtbalance.data import DataError
from mtbalance.data.adapters.nyuv2 import NYUv2

PARAMS = Path(__file__).parents[3] / "params.yaml"


@pytest.fixture
def nyuv2(tmp_path, monkeypatch) -> NYUv2:
    """The data set of params.yaml, in an empty project."""
    monkeypatch.chdir(tmp_path)
    return NYUv2.model_validate(yaml.safe_load(PARAMS.read_text())["datasets"]["nyuv2"])


def test_the_shards_are_those_of_the_hugging_face_data_set(nyuv2):
    shards = {Path(file.path).name: file for file in nyuv2.raw_files()[1:]}
    assert len(shards) == 14
    first, last = shards["train-00000-of-00008.parquet"], shards["val-00005-of-00006.parquet"]
    address = "hf:tanganke/nyuv2@b367b8b53c4dcefbcb4d9310b74976a63cc7f306/data/train-00000-of-00008.parquet"
    assert (first.path, first.urls) == ("data/raw/nyuv2/data/train-00000-of-00008.parquet", [address])
    assert (first.bytes, first.sha256[:8], last.bytes, last.sha256) == (208_564_689, "2c340d96", None, None)


def test_what_is_placed_by_hand_goes_before_the_shards(nyuv2):
    shards = nyuv2.raw_files()[1:]
    assert nyuv2.needed() == shards
    for form in (nyuv2.forms()[index] for index in (2, 1, 0)):  # the later ones win over the earlier ones
        for file in form:
            Path(file.path).mkdir(parents=True, exist_ok=True)
        assert nyuv2.needed() == form


def test_without_raw_data_the_message_has_every_route(nyuv2, tmp_path):
    with pytest.raises(DataError) as error:
        nyuv2.prepare("nyuv2", tmp_path / "out")
    for part in ("MTAN", "nyuv2/val", "nyuv2.zip", "splits.mat", "hf:tanganke/nyuv2@b367", "datasets.nyuv2"):
        assert part in str(error.value)


def test_a_checksum_of_no_shard_is_refused():
    shards = {"source": "hf:a/b@c", "train": 1, "test": 1, "published": {"data/train-0.parquet": {"bytes": 1}}}
    with pytest.raises(ValidationError, match=r"published.data/train-0.parquet: no such shard"):
        NYUv2(adapter="nyuv2", shards=shards)
