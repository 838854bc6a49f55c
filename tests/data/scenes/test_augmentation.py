import numpy as np
import pytest
import torch

from mtbalance.data.scenes.augmentation import SCALES, Maps, View, draw_views, view

AS_IT_IS = View(1.0, 0, 0, False)


@pytest.fixture
def maps() -> Maps:
    random = np.random.default_rng(0)
    normal = random.normal(size=(3, 32, 64))
    normal /= np.linalg.norm(normal, axis=0)
    normal[:, random.random((32, 64)) < 0.2] = 0
    depth = random.uniform(1, 8, (1, 32, 64)) * (random.random((1, 32, 64)) < 0.8)
    image, label = random.random((3, 32, 64)), random.integers(-1, 13, (32, 64))
    return Maps(
        *map(torch.from_numpy, (image.astype("f4"), label.astype("i1"), depth.astype("f4"), normal.astype("f4")))
    )


def ramp(height: int, width: int) -> torch.Tensor:
    return torch.arange(height * width, dtype=torch.float32).reshape(1, height, width)


def equal(one: Maps, other: Maps) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_scale_one_without_flip_is_the_scene(maps):
    assert equal(view(maps, AS_IT_IS), maps)


def test_a_flip_by_hand():
    label = torch.tensor([[1, 2, -1]], dtype=torch.int8)
    image, depth = ramp(1, 9).reshape(3, 1, 3), torch.tensor([[[1.0, 0.0, 3.0]]])
    normal = torch.tensor([[[0.6, 0, -1]], [[0.8, 0, 0]], [[0, 0, 0]]])
    seen = view(Maps(image, label, depth, normal), AS_IT_IS._replace(flip=True))
    assert seen.label.tolist() == [[-1, 2, 1]]
    assert seen.image.tolist() == [[[2, 1, 0]], [[5, 4, 3]], [[8, 7, 6]]]
    assert seen.depth.tolist() == [[[3, 0, 1]]]
    assert torch.equal(seen.normal, torch.tensor([[[1, 0, -0.6]], [[0, 0, 0.8]], [[0, 0, 0]]]))


def test_two_flips_are_the_scene_and_one_is_not(maps):
    flip = AS_IT_IS._replace(flip=True)
    assert equal(view(view(maps, flip), flip), maps)
    assert not equal(view(maps, flip), maps)


def test_a_crop_by_hand():
    """Rows 1 and 2 and columns 2 and 3 of a 3 x 3 map, at scale 1.5 with the corner (1, 1)."""
    values = ramp(3, 3)
    maps = Maps(values.repeat(3, 1, 1), values[0].to(torch.int8), values, values.repeat(3, 1, 1))
    seen = view(maps, View(1.5, 1, 1, False))
    # bilinear with aligned corners: the new corners are the crop's corner pixels
    assert seen.image[0].tolist() == [[4, 4.5, 5], [5.5, 6, 6.5], [7, 7.5, 8]]
    assert torch.equal(seen.normal, seen.image)
    # nearest: new pixel i is the crop's pixel floor(2 i / 3)
    assert seen.label.tolist() == [[4, 4, 5], [4, 4, 5], [7, 7, 8]]
    assert torch.allclose(seen.depth[0], seen.label / 1.5)


@pytest.mark.parametrize("scale", SCALES[1:])
def test_masks_stay_masks_and_no_value_is_invented(maps, scale):
    seen = view(maps, View(scale, 3, 5, True))
    assert [tensor.shape for tensor in seen] == [tensor.shape for tensor in maps]
    assert [tensor.dtype for tensor in seen] == [tensor.dtype for tensor in maps]
    rows, columns = int(32 / scale), int(64 / scale)
    crop = Maps(*(tensor[..., 3 : 3 + rows, 5 : 5 + columns] for tensor in maps))
    assert set(seen.label.unique().tolist()) <= set(crop.label.unique().tolist())
    assert (seen.label == -1).any()
    assert set((seen.depth.unique()).tolist()) == set((crop.depth.unique() / scale).tolist())
    assert (seen.depth == 0).any()
    assert (seen.image.amin() >= crop.image.amin()) and (seen.image.amax() <= crop.image.amax())
    # every label still lies where its depth does: both are taken from the same pixel
    pairs = {(int(k), float(d)) for k, d in zip(crop.label.flatten(), crop.depth.flatten() / scale, strict=True)}
    assert {(int(k), float(d)) for k, d in zip(seen.label.flatten(), seen.depth.flatten(), strict=True)} <= pairs


def test_depth_is_nearer_by_the_scale_where_the_scene_is_a_wall():
    wall = torch.full((1, 32, 64), 3.0)
    seen = view(Maps(wall.repeat(3, 1, 1), wall[0].to(torch.int8), wall, wall.repeat(3, 1, 1)), View(1.5, 0, 0, False))
    assert torch.equal(seen.depth, torch.full((1, 32, 64), 2.0))


def test_views_are_drawn_as_asked():
    views = draw_views(6000, 32, 64, np.random.default_rng(0))
    for scale in SCALES:
        some = [v for v in views if v.scale == scale]
        assert len(some) / 6000 == pytest.approx(1 / 3, abs=0.03)
        # every place from which the crop fits inside, the last one included
        assert {v.top for v in some} == set(range(32 - int(32 / scale) + 1))
        assert {v.left for v in some} == set(range(64 - int(64 / scale) + 1))
    assert np.mean([v.flip for v in views]) == pytest.approx(0.5, abs=0.03)
