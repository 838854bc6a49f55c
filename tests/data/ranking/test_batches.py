import numpy as np
import polars as pl
import pytest
import torch
from sample_data import processed

from mtbalance.data import DataError
from mtbalance.data.adapters.table import Table
from mtbalance.data.batch import Batch
from mtbalance.data.ranking import batches, decoded, row_groups
from mtbalance.data.ranking.aliexpress_layout import LAYOUT
from mtbalance.data.ranking.batches import RankingRows
from mtbalance.data.ranking.schema import RankingSchema


@pytest.fixture
def streamed(raw, tmp_path, monkeypatch):
    """Prepared rows in row groups of 300, with limits so small that they are read in blocks of about 1,000."""
    monkeypatch.setattr(row_groups, "ROW_GROUP", 300)
    monkeypatch.setattr(decoded, "ROWS_IN_MEMORY", 500)
    monkeypatch.setattr(decoded, "GROUPS_AT_ONCE", 3)
    monkeypatch.setattr(batches, "ROWS_TOGETHER", 500)
    monkeypatch.setattr(batches, "ROWS_PER_BLOCK", 1000)
    processed(raw).prepare("small", tmp_path / "out")
    return tmp_path / "out"


def joined(parts: list[Batch]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    ids, numbers = (torch.cat([part.inputs[k] for part in parts]) for k in range(2))
    return (
        ids,
        numbers,
        torch.stack([torch.cat([part.targets[k] for part in parts]) for k in range(2)], dim=1),
    )


def same(one, other) -> bool:
    return all(torch.equal(a, b) for a, b in zip(joined(one), joined(other), strict=True))


def as_rows(parts: list[Batch]) -> torch.Tensor:
    """One line a row, sorted, to compare sets of rows."""
    table = torch.cat([tensor.double() for tensor in joined(parts)], dim=1).numpy()
    return torch.from_numpy(table[np.lexsort(table.T)])


def test_file_order_gives_the_rows_of_the_file(prepared):
    rows, split = pl.read_parquet(prepared / "train.parquet"), RankingRows(prepared, "train")
    parts = list(split.batches(512, None))
    assert [len(part.targets[0]) for part in parts] == [512] * 5 + [440]
    ids, numbers, labels = joined(parts)
    assert (ids.dtype, numbers.dtype, labels.dtype) == (torch.int32, torch.float32, torch.float32)
    assert (numbers.numpy() == rows.select(LAYOUT.numerical).to_numpy()).all()
    assert (labels.numpy() == rows.select("click", "conversion").to_numpy()).all()
    for position, column in enumerate(split.schema.categorical):
        assert [column.vocabulary[i - 1] for i in ids[:, position].tolist()] == rows[column.name].to_list()


def test_shuffling_is_a_permutation_drawn_from_the_generator(prepared):
    split = RankingRows(prepared, "train")
    generator = np.random.default_rng(3)
    first, second = list(split.batches(512, generator)), list(split.batches(512, generator))
    again = list(RankingRows(prepared, "train").batches(512, np.random.default_rng(3)))
    assert same(first, again)
    assert not same(first, second)
    in_order = list(split.batches(512, None))
    assert [len(part.targets[0]) for part in first] == [len(part.targets[0]) for part in in_order]
    assert torch.equal(as_rows(first), as_rows(in_order))


def test_the_order_of_blocks_is_drawn_too(streamed):
    """Else the first rows of a large file would come first in every epoch."""
    split = RankingRows(streamed, "train")
    in_file = torch.cat([tensor.double() for tensor in joined(list(split.batches(3000, None)))], dim=1)
    places = {tuple(row): place for place, row in enumerate(in_file.tolist())}
    generator, first = np.random.default_rng(0), []
    for _ in range(4):
        batch = joined([next(split.batches(600, generator))])
        rows = torch.cat([tensor.double() for tensor in batch], dim=1).tolist()
        first.append({places[tuple(row)] // 300 for row in rows})
    assert all(len(groups) in (3, 4) for groups in first)  # a block of row groups of 300
    assert len({frozenset(groups) for groups in first}) == 4


@pytest.mark.parametrize("batch_size", [64, 999, 2500, 5000])
def test_streaming_gives_every_row_once_in_full_batches(streamed, prepared, batch_size):
    split = RankingRows(streamed, "train")
    whole = list(RankingRows(prepared, "train").batches(3000, None))
    sizes = [batch_size] * (3000 // batch_size) + ([3000 % batch_size] if 3000 % batch_size else [])
    in_order = list(split.batches(batch_size, None))
    assert [len(part.targets[0]) for part in in_order] == sizes
    assert same(in_order, whole)
    shuffled = list(split.batches(batch_size, np.random.default_rng(0)))
    assert [len(part.targets[0]) for part in shuffled] == sizes
    assert torch.equal(as_rows(shuffled), as_rows(whole))
    assert same(shuffled, list(RankingRows(streamed, "train").batches(batch_size, np.random.default_rng(0))))
    assert not same(shuffled, whole)


def test_values_not_seen_in_training_get_the_unknown_index(prepared, tmp_path):
    schema = RankingSchema.read(prepared)
    shorter = schema.categorical[6].model_copy(update={"vocabulary": schema.categorical[6].vocabulary[1:]})
    columns = [*schema.categorical[:6], shorter, *schema.categorical[7:]]
    schema.model_copy(update={"categorical": columns}).save(tmp_path)
    (tmp_path / "test.parquet").symlink_to(prepared / "test.parquet")
    ids = joined(list(RankingRows(tmp_path, "test").batches(10_000, None)))[0][:, 6]
    values = pl.read_parquet(prepared / "test.parquet")["categorical_7"].to_numpy()
    assert ((ids == 0).numpy() == (values == schema.categorical[6].vocabulary[0])).all()
    assert 0 < (ids == 0).sum() < len(ids)
    assert ids.max() < RankingRows(tmp_path, "test").schema.table_sizes[6]


@pytest.mark.parametrize("normalize", ["standard", "none"])
def test_numbers_are_normalized_and_missing_ones_are_the_training_mean(tmp_path, normalize):
    random = np.random.default_rng(0)
    size = np.where(random.random(400) < 0.2, None, 50 + 7 * random.normal(size=400))
    frame = pl.DataFrame({"size": size.tolist(), "one": [1.0] * 400, "color": list("abcd") * 100})
    frame.with_columns(label=pl.Series(random.integers(0, 2, 400))).write_parquet(tmp_path / "t.parquet")
    config = Table(
        adapter="table",
        files={"all": {"path": str(tmp_path / "t.parquet")}},
        categorical=["color"],
        numerical=["size", "one"],
        tasks={"task": {"column": "label", "positive": ["1"]}},
        normalize=normalize,
        split={"train": 0.5, "valid": 0.25, "test": 0.25},
    )
    schema = config.prepare("t", tmp_path / "out")
    numbers = next(RankingRows(tmp_path / "out", "train").batches(1000, None)).inputs[1].double().numpy()
    missing = pl.read_parquet(tmp_path / "out" / "train.parquet")["size"].is_nan().to_numpy()
    known, mean = numbers[~missing, 0], schema.numerical[0].mean
    assert missing.any()
    if normalize == "standard":
        assert (known.mean(), known.std()) == pytest.approx((0, 1), abs=1e-5)
        assert (numbers[missing, 0] == 0).all() and (numbers[:, 1] == 0).all()
    else:
        assert numbers[missing, 0] == pytest.approx(mean) and (numbers[:, 1] == 1).all()


def test_files_that_do_not_belong_to_the_schema_are_refused(prepared, tmp_path):
    schema = RankingSchema.read(prepared)
    schema.save(tmp_path)
    with pytest.raises(DataError, match=r"train.parquet cannot be read"):
        RankingRows(tmp_path, "train")
    (tmp_path / "train.parquet").symlink_to(prepared / "test.parquet")
    with pytest.raises(DataError, match=r"train.parquet has SHA-256 .* changed or damaged"):
        RankingRows(tmp_path, "train")
    train, test = schema.splits["train"], schema.splits["test"]
    other = train.model_copy(update={"sha256": test.sha256})
    schema.model_copy(update={"splits": {**schema.splits, "train": other}}).save(tmp_path)
    with pytest.raises(DataError, match="not the file of its schema"):
        RankingRows(tmp_path, "train")
    with pytest.raises(DataError, match="no split 'all'"):
        RankingRows(prepared, "all")


@pytest.mark.parametrize("size", [100, 512, 5000])
@pytest.mark.parametrize("shuffled", [False, True])
def test_rows_that_reside_on_a_device_give_the_same_batches(streamed, prepared, size, shuffled):
    """Here the device is the CPU; large splits come in blocks, small ones at once."""
    for folder in (streamed, prepared):
        read, resident = RankingRows(folder, "train"), RankingRows(folder, "train")
        resident.reside(torch.device("cpu"))
        one, other = (np.random.default_rng(5) if shuffled else None for _ in range(2))
        for _ in range(2):
            pairs = list(zip(read.batches(size, one), resident.batches(size, other), strict=True))
            assert pairs
            for expected, found in pairs:
                for a, b in zip((*expected.inputs, *expected.targets), (*found.inputs, *found.targets), strict=True):
                    assert a.dtype == b.dtype and torch.equal(a, b)
