import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from PIL import Image
from sample_data import shared
from scene_data import HEIGHT, WIDTH, config, place_real, rows, write_picture, write_pieces, write_splits

from mtbalance.data import DataError
from mtbalance.data.scenes.official import numbered, read_splits
from mtbalance.data.scenes.pictures import label_of, normal_of, read_picture
from mtbalance.data.scenes.scene import Scene
from mtbalance.data.scenes.schema import SceneSchema

FOCAL_LENGTH, CENTER = 518.9, (325.6, 253.7)
"""NYUv2's own camera, in pixels of 480 x 640."""


@pytest.fixture
def pieces(tmp_path: Path) -> Path:
    """A folder of the official pieces of three scenes of noise; 7 and 3 for training, 5 for testing."""
    write_pieces(tmp_path / "raw")
    return tmp_path / "raw"


def picture(folder: Path, kind: str, number: int) -> np.ndarray:
    return np.asarray(Image.open(folder / kind / f"nyu_{number:04d}.png"))


def test_numbers_come_from_the_files_of_their_split(pieces, tmp_path):
    schema = config(pieces, 2, 1, depth_unit=1000.0).prepare("nyuv2", tmp_path / "out")
    assert SceneSchema.read(tmp_path / "out") == schema
    assert set(schema.raw) == {"splits.mat", *(f"{s}/{k}" for s in ("train", "test") for k in Scene._fields)}
    found = [*rows(tmp_path / "out", "train"), *rows(tmp_path / "out", "test")]
    for number, scene in zip((3, 7, 5), found, strict=True):
        assert np.array_equal(scene.label, picture(pieces, "label", number).astype(int) - 1)
        assert np.allclose(scene.depth, picture(pieces, "depth", number) / 1000, rtol=1e-7)
        assert np.allclose(scene.image, picture(pieces, "image", number) / 255, atol=1e-7)
        assert np.linalg.norm(scene.normal, axis=-1) == pytest.approx(1, abs=1e-5)
        x, z, up = np.moveaxis(picture(pieces, "normal", number) / 127 - 1, -1, 0)
        assert np.allclose(scene.normal, np.stack([x, -up, z], axis=-1), atol=0.01)
    assert schema.splits["train"].not_unit == 0


BAD = {
    "class 14": ("label", np.full((HEIGHT, WIDTH), 14, np.uint8), "value 14 instead of 0"),
    "40 classes in two bytes": ("label", np.zeros((HEIGHT, WIDTH), np.uint16), "uint16 .* not a label image"),
    "depth in a byte": ("depth", np.ones((HEIGHT, WIDTH), np.uint8), "uint8 .* not a depth image"),
    "a gray image": ("image", np.ones((HEIGHT, WIDTH), np.uint8), "not a photograph"),
    "normals with transparency": ("normal", np.ones((HEIGHT, WIDTH, 4), np.uint8), "not an image of normals"),
}


@pytest.mark.parametrize("fault", BAD)
def test_another_kind_of_picture_is_refused(pieces, tmp_path, fault):
    kind, values, says = BAD[fault]
    path = write_picture(pieces, kind, 5, values)
    with pytest.raises(DataError, match=rf"{path.name}: .*{says}"):
        config(pieces, 2, 1).prepare("nyuv2", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("cut", [-50, 40, 0])
def test_a_broken_picture_is_named(pieces, tmp_path, cut):
    path = pieces / "normal/nyu_0005.png"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DataError, match=r"nyu_0005.png: not a whole image file"):
        config(pieces, 2, 1).prepare("nyuv2", tmp_path / "out")


def test_an_absent_picture_a_double_one_and_sizes_that_differ_are_named(pieces, tmp_path):
    write_picture(pieces, "depth", 7, np.ones((HEIGHT, WIDTH + 1), np.uint16))
    with pytest.raises(DataError, match=r"image/nyu_0007.png: its image and maps have different sizes"):
        config(pieces, 2, 1).prepare("nyuv2", tmp_path / "out")
    (pieces / "depth/nyu_0007.png").rename(pieces / "depth/nyu_0008.png")
    with pytest.raises(DataError, match=r"depth: no file with the number 7 .* \(1 such images\)"):
        config(pieces, 2, 1).prepare("nyuv2", tmp_path / "out")
    (pieces / "depth/nyu_0008.png").rename(pieces / "depth/other_5.png")
    with pytest.raises(DataError, match=r"other_5.png and .*nyu_0005.png have the same number"):
        config(pieces, 2, 1).prepare("nyuv2", tmp_path / "out")


LARGE = struct.pack("<5i", 0, 2**30, 2**10, 0, 1)
"""The head of an array that no memory holds."""


@pytest.mark.parametrize("content", [b"", b"MATLAB", bytes(200), LARGE + bytes(20), "other"])
def test_another_file_than_splits_is_refused(pieces, tmp_path, content):
    path = pieces / "splits.mat"
    scipy.io.savemat(path, {"other": 1}) if content == "other" else path.write_bytes(content)
    with pytest.raises(DataError, match=r"splits.mat: not NYUv2's splits.mat"):
        config(pieces, 2, 1).prepare("nyuv2", tmp_path / "out")


# --- real images ------------------------------------------------------------------------------------------------------


def prepared_scene(real: Path, output: Path, height: int, width: int) -> Scene:
    config(real, 1, 1, height=height, width=width).prepare("nyuv2", output)
    return rows(output, "test")[0]


def test_a_real_scene_is_read_exactly_at_its_own_size(real, tmp_path):
    scene = prepared_scene(real, tmp_path / "out", 480, 640)
    pictures = {kind: np.asarray(Image.open(real / kind / "000433.png")).astype(float) for kind in Scene._fields}
    assert np.array_equal(scene.label, pictures["label"] - 1)
    assert np.array_equal(scene.depth, (pictures["depth"] / 5000).astype(np.float32))
    assert (scene.depth == 0).mean() == pytest.approx(0.3419, abs=1e-4)
    assert scene.depth[scene.depth > 0].min() > 0.5 and scene.depth.max() < 10
    assert np.allclose(scene.image, pictures["image"] / 255, atol=1e-6)
    known = scene.normal.any(axis=-1)
    assert np.array_equal(known, ~(pictures["normal"] == 127).all(axis=-1))
    assert 1 - known.mean() == pytest.approx(0.2206, abs=1e-4)
    assert np.linalg.norm(scene.normal[known], axis=-1) == pytest.approx(1, abs=1e-5)


def test_a_real_scene_is_resized_by_the_rules(real, tmp_path):
    scene = prepared_scene(real, tmp_path / "out", 288, 384)
    pictures = {kind: np.asarray(Image.open(real / kind / "000433.png")).astype(float) for kind in Scene._fields}
    nearest = np.ix_([int((i + 0.5) * 480 / 288) for i in range(288)], [int((i + 0.5) * 640 / 384) for i in range(384)])
    assert np.array_equal(scene.label, pictures["label"][nearest] - 1)
    assert np.array_equal(scene.depth, (pictures["depth"][nearest] / 5000).astype(np.float32))
    known = scene.normal.any(axis=-1)
    assert np.array_equal(known, ~(pictures["normal"][nearest] == 127).all(axis=-1))
    assert np.linalg.norm(scene.normal[known], axis=-1) == pytest.approx(1, abs=1e-5)
    closest = normal_of(read_picture(real / "normal/000433.png"), "normal")[nearest][known]
    angles = np.degrees(np.arccos((scene.normal[known] * closest).sum(axis=-1).clip(-1, 1)))
    assert np.median(angles) < 1 and np.quantile(angles, 0.95) < 20
    assert scene.image.mean() == pytest.approx(pictures["image"].mean() / 255, abs=1e-3)


def test_real_normals_are_those_of_the_real_depth(real, tmp_path):
    """With x to the right, y down and z away from the camera: else a flip would not be one of the scene."""
    scene = prepared_scene(real, tmp_path / "out", 480, 640)
    step = 6
    row, column = np.mgrid[0:480, 0:640]
    x, y = (column - CENTER[0]) / FOCAL_LENGTH, (row - CENTER[1]) / FOCAL_LENGTH
    points = scene.depth[..., None] * np.stack([x, y, np.ones_like(x)], axis=-1)
    right, down = (np.roll(points, -step, axis) - np.roll(points, step, axis) for axis in (1, 0))
    found = np.cross(down, right)
    length = np.linalg.norm(found, axis=-1)
    inside = np.zeros(length.shape, bool)
    inside[step:-step, step:-step] = True
    inside &= scene.normal.any(axis=-1) & (scene.depth > 0) & (length > 0)
    found = found[inside] / length[inside][:, None]

    def median_angle(signs: tuple[int, int, int]) -> float:
        cosine = (found * scene.normal[inside] * signs).sum(axis=-1)
        return float(np.median(np.degrees(np.arccos(cosine.clip(-1, 1)))))

    assert median_angle((1, 1, 1)) < 20  # raw depth is noisy and full of holes
    for signs in ((-1, 1, 1), (1, -1, 1), (1, 1, -1)):
        assert median_angle(signs) > 30


def test_a_real_image_without_normals_is_refused(real, tmp_path):
    write_splits(real, [433], [464])
    place_real(real, 464)
    (real / "normal/000464.png").unlink()
    with pytest.raises(DataError, match=r"normal: no file with the number 464"):
        config(real, 1, 1).prepare("nyuv2", tmp_path / "out")


def test_all_real_label_maps_are_read(tmp_path):
    with tarfile.open(shared("nyuv2_labels/nyuv2_test_class13.tgz")) as archive:
        archive.extractall(tmp_path, filter="data")
    files = numbered(tmp_path)
    splits = read_splits(shared("nyuv2_labels/splits.mat"))
    assert (len(splits["train"]), len(splits["test"])) == (795, 654)
    assert not set(splits["train"]) & set(splits["test"])
    assert sorted(files) == splits["test"]
    pixels = np.zeros(14, int)
    for path in files.values():
        label = label_of(read_picture(path), str(path))
        assert label.shape == (480, 640) and label.dtype == np.int8
        pixels += np.bincount(label.ravel() + 1, minlength=14)
    assert pixels.size == 14 and pixels.sum() == 654 * 480 * 640
    assert pixels[0] / pixels.sum() == pytest.approx(0.171, abs=5e-4)
    assert (pixels[1:] > 0).all()
