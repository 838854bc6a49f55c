import numpy as np
import pytest

from mtbalance.data.scenes.resize import nearest, resize


def maps(normal: np.ndarray, depth: np.ndarray | None = None) -> dict[str, np.ndarray]:
    height, width = normal.shape[:2]
    depth = np.ones((height, width), np.float32) if depth is None else depth.astype(np.float32)
    return {
        "image": np.zeros((height, width, 3), np.float32),
        "label": np.zeros((height, width), np.int8),
        "depth": depth,
        "normal": normal.astype(np.float32),
    }


def along(axis: int, shape: tuple[int, int] = (4, 8)) -> np.ndarray:
    return np.broadcast_to(np.eye(3)[axis], (*shape, 3)).copy()


def test_the_nearest_center_is_taken():
    assert nearest(np.arange(6)[None], (1, 3)).tolist() == [[1, 3, 5]]  # centers 0.5, 2.5, 4.5: the right of two
    assert nearest(np.arange(3)[None], (1, 6)).tolist() == [[0, 0, 1, 1, 2, 2]]
    assert nearest(np.arange(5)[None], (1, 3)).tolist() == [[0, 2, 4]]
    values = np.random.default_rng(0).random((7, 9))
    assert np.array_equal(nearest(values, (7, 9)), values)


def test_images_are_interpolated_between_centers():
    content = maps(along(2, (1, 4)))
    content["image"] = np.repeat(np.array([[0.0, 0.2, 0.6, 1.0]], np.float32)[..., None], 3, axis=-1)
    halves = resize(content, 1, 2)["image"][0, :, 0]
    assert halves == pytest.approx([0.1, 0.8])  # the means of two


def test_no_depth_appears_that_was_not_measured():
    depth = np.array([[0, 2, 0, 4, 0, 6, 0, 8]] * 4, float)
    found = resize(maps(along(2), depth), 3, 5)["depth"]
    assert set(found.ravel().tolist()) <= set(depth.ravel().tolist())


def test_unknown_normals_do_not_bleed():
    normal = along(0)
    normal[:, 4:] = 0
    found = resize(maps(normal), 3, 5)["normal"]
    known = found.any(axis=-1)
    assert known.tolist() == [[True, True, False, False, False]] * 3  # by the nearest rule
    assert np.array_equal(found[known], along(0, (3, 2)).reshape(-1, 3))  # unit and in its direction, to the border


def test_normals_are_mixed_and_made_unit_vectors_again():
    normal = along(0)
    normal[:, 1::2] = np.eye(3)[1]
    found = resize(maps(normal), 4, 4)["normal"]
    assert found == pytest.approx(np.broadcast_to(np.array([1, 1, 0]) / np.sqrt(2), found.shape), abs=1e-6)


def test_opposed_normals_have_no_mean_and_take_the_nearest():
    normal = along(0)
    normal[:, 1::2] *= -1
    found = resize(maps(normal), 4, 4)["normal"]
    assert np.array_equal(found, -along(0, (4, 4)))
