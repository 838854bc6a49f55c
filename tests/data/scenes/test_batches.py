from itertools import islice

import numpy as np
import pytest
import torch
from scene_data import HEIGHT, SMALL, WIDTH, rows

from mtbalance.data import DataError
from mtbalance.data.batch import Batch
from mtbalance.data.scenes import batches
from mtbalance.data.scenes.batches import SceneRows
from mtbalance.data.scenes.schema import SceneSchema

IMAGES = SMALL.train_scenes


@pytest.fixture(params=["kept", "read image by image"])
def split(request, prepared, monkeypatch):
    """A function that opens the training split, in memory or not."""
    if request.param != "kept":
        monkeypatch.setattr(batches, "BYTES_IN_MEMORY", 0)
    return lambda augment=False: SceneRows(prepared, "train", augment)


def joined(parts: list[Batch]) -> list[torch.Tensor]:
    return [torch.cat(tensors) for tensors in zip(*((*part.inputs, *part.targets) for part in parts), strict=True)]


def same(one: list[Batch], other: list[Batch]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(joined(one), joined(other), strict=True))


def test_file_order_gives_the_scenes_of_the_file_channels_first(split, prepared):
    parts = list(split(augment=True).batches(4, None))  # augmentation needs a generator
    assert [len(part.inputs[0]) for part in parts] == [4, 2]
    image, label, depth, normal = joined(parts)
    shapes = [(IMAGES, 3, HEIGHT, WIDTH), (IMAGES, HEIGHT, WIDTH), (IMAGES, 1, HEIGHT, WIDTH)]
    assert [tuple(tensor.shape) for tensor in (image, label, depth, normal)] == [*shapes, shapes[0]]
    types = [torch.float32, torch.int64, torch.float32, torch.float32]
    assert [tensor.dtype for tensor in (image, label, depth, normal)] == types
    assert all(tensor.is_contiguous() for part in parts for tensor in (*part.inputs, *part.targets))
    for number, scene in enumerate(rows(prepared, "train")):
        assert np.array_equal(image[number].permute(1, 2, 0), scene.image)
        assert np.array_equal(label[number], scene.label)
        assert np.array_equal(depth[number, 0], scene.depth)
        assert np.array_equal(normal[number].permute(1, 2, 0), scene.normal)


def test_every_image_is_shuffled_on_its_own(split):
    data = split()
    in_order = joined(list(data.batches(1, None)))[0]
    generator = np.random.default_rng(1)
    orders = []
    for _ in range(2):
        images = joined(list(data.batches(4, generator)))[0]
        orders.append([int((in_order == image).flatten(1).all(dim=1).nonzero()) for image in images])
    assert all(sorted(order) == list(range(IMAGES)) for order in orders)
    assert orders[0] != orders[1] != list(range(IMAGES))


@pytest.mark.parametrize("augment", [False, True])
def test_equal_generators_give_equal_batches_of_any_size(split, augment):
    data = split(augment)
    first = [list(data.batches(4, np.random.default_rng(7))), list(data.batches(4, np.random.default_rng(8)))]
    again = list(split(augment).batches(5, np.random.default_rng(7)))
    assert same(first[0], again)
    assert not same(first[0], first[1])


def test_a_resumed_run_goes_on_with_the_same_views(split):
    whole, resumed = np.random.default_rng(2), np.random.default_rng(0)
    data = split(augment=True)
    list(data.batches(4, whole))
    resumed.bit_generator.state = whole.bit_generator.state
    assert same(list(data.batches(4, whole)), list(split(augment=True).batches(4, resumed)))


def test_all_is_drawn_before_the_first_batch(split):
    """So that an epoch that is not read to its end changes no later one."""
    one, other = np.random.default_rng(2), np.random.default_rng(2)
    data = split(augment=True)
    list(data.batches(2, one))
    list(islice(data.batches(3, other), 1))
    assert one.bit_generator.state == other.bit_generator.state


def test_views_change_no_scene_that_is_kept(prepared):
    data = SceneRows(prepared, "train", augment=True)
    before = [tensor.clone() for tensor in joined(list(data.batches(4, None)))]
    for seed in range(5):
        for batch in data.batches(4, np.random.default_rng(seed)):
            batch.targets[1].zero_()
    assert all(torch.equal(a, b) for a, b in zip(before, joined(list(data.batches(4, None))), strict=True))


def test_large_splits_are_not_kept(prepared, monkeypatch):
    monkeypatch.setattr(batches, "BYTES_IN_MEMORY", 0)
    data, read = SceneRows(prepared, "train"), []
    monkeypatch.setattr(data, "_read", lambda row, real=data._read: read.append(row) or real(row))
    for _ in range(2):
        list(data.batches(4, None))
    assert read == [*range(IMAGES), *range(IMAGES)]


def test_files_that_do_not_belong_to_the_schema_are_refused(prepared, tmp_path):
    schema = SceneSchema.read(prepared)
    schema.save(tmp_path)
    with pytest.raises(DataError, match=r"train.parquet cannot be read"):
        SceneRows(tmp_path, "train")
    (tmp_path / "train.parquet").symlink_to(prepared / "test.parquet")
    with pytest.raises(DataError, match=r"train.parquet has SHA-256 .* changed or damaged"):
        SceneRows(tmp_path, "train")
    schema.model_copy(update={"height": WIDTH}).save(tmp_path)
    (tmp_path / "test.parquet").symlink_to(prepared / "test.parquet")
    with pytest.raises(DataError, match="not the file of its schema"):
        SceneRows(tmp_path, "test")
    with pytest.raises(DataError, match="no split 'valid'"):
        SceneRows(prepared, "valid")
