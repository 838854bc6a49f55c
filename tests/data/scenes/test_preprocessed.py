import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from scene_data import HEIGHT, WIDTH, config, rows, write_sides

from mtbalance.config.datasets import RawFile
from mtbalance.data import DataError
from mtbalance.data.files.checksums import sha256_of
from mtbalance.data.scenes.scene import Scene
from mtbalance.data.scenes.schema import SceneSchema
from mtbalance.places import SCHEMA


def pack(folder: Path, path: Path, inside: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*.npy"), key=str, reverse=True):
            archive.write(file, Path(inside) / file.relative_to(folder))
    return path


def archive_config(path: Path, **facts: object):
    return config(path.parent / "absent", archive=RawFile(path=str(path), **facts))


def assert_same(scene: Scene, content: dict[str, np.ndarray]) -> None:
    assert [values.dtype.name for values in scene] == ["float32", "int8", "float32", "float32"]
    for kind, values in scene._asdict().items():
        expected = content[kind].reshape(values.shape).astype(values.dtype)
        assert values.tobytes() == expected.tobytes(), kind


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_values_come_back_bit_for_bit_as_float32(tmp_path, dtype):
    written = write_sides(tmp_path / "raw", dtype, train=3, val=2)
    config(tmp_path / "raw").prepare("scenes", tmp_path / "out")
    for split, side in (("train", "train"), ("test", "val")):
        for scene, content in zip(rows(tmp_path / "out", split), written[side], strict=True):
            assert_same(scene, content)


def test_images_come_in_the_order_of_their_numbers(tmp_path):
    written = write_sides(tmp_path / "raw", train=11, val=1)["train"]
    config(tmp_path / "raw", 11, 1).prepare("scenes", tmp_path / "out")
    for scene, content in zip(rows(tmp_path / "out", "train"), written, strict=True):  # 10 is after 9
        assert_same(scene, content)


def test_arrays_in_fortran_order_and_maps_without_a_channel_axis_are_the_same(raw, tmp_path):
    config(raw).prepare("scenes", tmp_path / "one")
    for path in raw.rglob("*.npy"):
        values = np.load(path)
        np.save(path, np.asfortranarray(values[..., 0] if values.shape[-1] == 1 else values))
    config(raw).prepare("scenes", tmp_path / "other")
    for split in ("train", "test"):
        assert sha256_of(tmp_path / "one" / f"{split}.parquet") == sha256_of(tmp_path / "other" / f"{split}.parquet")


@pytest.mark.parametrize("inside", ["", "nyuv2"])
def test_a_zip_gives_what_its_folder_gives(raw, tmp_path, inside):
    path = pack(raw, tmp_path / "scenes.zip", inside)
    from_zip = archive_config(path, sha256=sha256_of(path)).prepare("scenes", tmp_path / "zip")
    assert from_zip == config(raw).prepare("scenes", tmp_path / "folder")
    assert Scene._fields == ("image", "label", "depth", "normal")
    assert set(from_zip.raw) == {f"{side}/{kind}" for side in ("train", "val") for kind in Scene._fields}


def test_the_schema_counts_what_was_written(tmp_path):
    written = write_sides(tmp_path / "raw", train=3, val=2)
    schema = config(tmp_path / "raw").prepare("scenes", tmp_path / "out")
    assert SceneSchema.read(tmp_path / "out") == schema
    assert not schema.synthetic and (schema.height, schema.width, len(schema.classes)) == (HEIGHT, WIDTH, 13)
    for split, side in (("train", "train"), ("test", "val")):
        facts, stacked = schema.splits[split], {k: np.stack([s[k] for s in written[side]]) for k in Scene._fields}
        label, known = stacked["label"], stacked["label"] >= 0
        assert facts.rows == len(written[side])
        assert facts.class_pixels == [int((label == k).sum()) for k in range(13)]
        assert facts.class_shares == pytest.approx([(label[known] == k).mean() for k in range(13)], rel=1e-12)
        shares = [known.mean(), (stacked["depth"] != 0).mean(), stacked["normal"].any(axis=-1).mean()]
        assert list(facts.valid.values()) == pytest.approx(shares, rel=1e-12)
        assert facts.not_unit == 0
        assert facts.sha256 == sha256_of(tmp_path / "out" / f"{split}.parquet")
    train = {kind: np.stack([scene[kind] for scene in written["train"]]).astype(float) for kind in Scene._fields}
    assert schema.mean_depth == pytest.approx(train["depth"][train["depth"] > 0].mean(), rel=1e-9)
    mean = train["normal"].sum(axis=(0, 1, 2))
    assert schema.mean_normal == pytest.approx(mean / np.linalg.norm(mean), rel=1e-5)


def test_normals_that_interpolation_shortened_are_kept_and_counted(raw, tmp_path):
    for path in (raw / "train/normal").iterdir():
        values = np.load(path)
        values[: HEIGHT // 2] *= 0.7
        np.save(path, values)
    schema = config(raw).prepare("scenes", tmp_path / "out")
    assert 0.4 < schema.splits["train"].not_unit < 0.6 and schema.splits["test"].not_unit == 0
    assert any("not of unit length" in line for line in schema.lines())
    assert np.array_equal(rows(tmp_path / "out", "train")[2].normal, np.load(raw / "train/normal/2.npy"))


def test_an_image_may_leave_its_range_by_rounding(raw, tmp_path):
    spoil((1, 2, 0), np.nextafter(np.float32(1), np.float32(2)))(raw / "val/image/0.npy")
    config(raw).prepare("scenes", tmp_path / "out")
    assert rows(tmp_path / "out", "test")[0].image[1, 2, 0] > 1


def spoil(index, value):
    def change(path: Path) -> None:
        values = np.load(path)
        values[index] = value
        np.save(path, values)

    return change


def replace(values):
    return lambda path: np.save(path, values, allow_pickle=True)


PIXEL = (5, 7)
BAD = {
    "a wrong shape": (
        "image",
        replace(np.zeros((HEIGHT, HEIGHT, 3), np.float32)),
        r"shape \(32, 32, 3\), not \(32, 64",
    ),
    "channels first": ("normal", replace(np.zeros((3, HEIGHT, WIDTH), np.float32)), r"shape \(3, 32, 64\)"),
    "a scalar": ("label", replace(np.float32(1)), r"shape \(\)"),
    "complex numbers": ("depth", replace(np.zeros((HEIGHT, WIDTH), complex)), "complex128 and no real numbers"),
    "NaN depth": ("depth", spoil(PIXEL, np.nan), r"nan at \(5, 7\) is not a depth in meters"),
    "infinite depth": ("depth", spoil(PIXEL, np.inf), r"inf at \(5, 7\)"),
    "negative depth": ("depth", spoil(PIXEL, -0.5), r"-0.5 at \(5, 7\)"),
    "a class too high": ("label", spoil(PIXEL, 13), r"13.0 at \(5, 7\) is not a class from -1"),
    "a class too low": ("label", spoil(PIXEL, -2), r"-2.0 at"),
    "half a class": ("label", spoil(PIXEL, 1.5), r"1.5 at"),
    "no class": ("label", spoil(PIXEL, np.nan), r"nan at"),
    "an image of bytes": ("image", spoil((*PIXEL, 1), 200), r"200.0 at \(5, 7, 1\) is not between 0 and 1"),
    "a negative image": ("image", spoil((*PIXEL, 1), -0.01), r"is not between 0 and 1"),
    "NaN image": ("image", spoil((*PIXEL, 1), np.nan), r"nan at \(5, 7, 1\)"),
    "normals of bytes": ("normal", spoil(PIXEL, 120), r"207.8\d* at \(5, 7\) is not the length of a unit vector"),
    "NaN normals": ("normal", spoil(PIXEL, np.nan), r"nan at \(5, 7\)"),
    "signaling NaN normals": (
        "normal",
        replace(np.full((HEIGHT, WIDTH, 3), 0x7F800001, np.uint32).view(np.float32)),
        r"nan at \(0, 0\)",
    ),
    "huge normals": ("normal", replace(np.full((HEIGHT, WIDTH, 3), 1e300)), r"inf at"),
    "a pickled array": ("depth", replace(np.array([[None]])), "Object arrays cannot be loaded"),
    "a truncated file": ("depth", lambda path: path.write_bytes(path.read_bytes()[:-100]), "not a whole .npy file"),
    "an empty file": ("label", lambda path: path.write_bytes(b""), "not a whole .npy file"),
    "no npy file": ("label", lambda path: path.write_text("<html>please log in</html>"), "not a whole .npy file"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_array_is_named_and_nothing_is_left(raw, tmp_path, fault):
    kind, change, says = BAD[fault]
    change(raw / f"val/{kind}/1.npy")
    with pytest.raises(DataError, match=rf"val/{kind}/1.npy: .*{says}"):
        config(raw).prepare("scenes", tmp_path / "new" / "out")
    assert not list((tmp_path / "new").iterdir())


class Trap:
    def __reduce__(self):
        return (Path.touch, (Path("unpickled"),))


def test_a_pickle_is_never_run(raw, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save(raw / "train/depth/0.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match=r"train/depth/0.npy"):
        config(raw).prepare("scenes", tmp_path / "out")
    assert not (tmp_path / "unpickled").exists()


def test_an_image_without_its_normals_is_named(raw, tmp_path):
    (raw / "train/normal/1.npy").unlink()
    with pytest.raises(DataError, match=r"train/normal/1.npy is missing \(1 in all\), but image has it"):
        config(raw).prepare("scenes", tmp_path / "out")
    shutil.rmtree(raw / "train/normal")
    with pytest.raises(DataError, match=r"train/normal is missing; every split has the folders image, label"):
        config(raw).prepare("scenes", tmp_path / "out")


def test_empty_folders_and_odd_names_are_refused(raw, tmp_path):
    shutil.copy(raw / "val/depth/1.npy", raw / "val/depth/1 (copy).npy")
    with pytest.raises(DataError, match=r"val/depth/1 \(copy\).npy: expected a number"):
        config(raw).prepare("scenes", tmp_path / "out")
    for path in raw.glob("val/*/*.npy"):
        path.unlink()
    with pytest.raises(DataError, match=r"raw/val: no .npy files"):
        config(raw).prepare("scenes", tmp_path / "out")


def test_half_a_set_is_refused(raw, tmp_path):
    with pytest.raises(DataError, match=r"train has 3 images, not 795: not the whole set; datasets.scenes says"):
        config(raw, train=795).prepare("scenes", tmp_path / "out")


def test_a_split_in_which_a_task_is_never_known_is_refused(raw, tmp_path):
    for path in (raw / "val/depth").iterdir():
        np.save(path, np.zeros((HEIGHT, WIDTH), np.float32))
    with pytest.raises(DataError, match="split 'test' has no valid pixel for depth"):
        config(raw).prepare("scenes", tmp_path / "out")


def test_a_damaged_zip_is_refused(raw, tmp_path):
    path = pack(raw, tmp_path / "scenes.zip")
    content = path.read_bytes()
    with pytest.raises(DataError, match=r"scenes.zip has SHA-256 \w+, not 0000"):
        archive_config(path, sha256="0" * 64).prepare("scenes", tmp_path / "out")
    path.write_bytes(content[:-1000])
    with pytest.raises(DataError, match=r"scenes.zip: not a complete zip file"):
        archive_config(path).prepare("scenes", tmp_path / "out")
    middle = len(content) // 2
    path.write_bytes(content[:middle] + bytes(50) + content[middle + 50 :])
    with pytest.raises(DataError, match=r"scenes.zip/(train|val)/\w+/\d.npy: cannot be read"):
        archive_config(path).prepare("scenes", tmp_path / "out")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("read.me", "nothing")
    with pytest.raises(DataError, match=r"scenes.zip/: no folders train and val"):
        archive_config(path).prepare("scenes", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_absent_set_says_what_to_put_where(tmp_path):
    (tmp_path / "raw").mkdir()
    with pytest.raises(DataError) as refused:
        config(tmp_path / "raw").prepare("nyuv2", tmp_path / "out")
    for part in ("MTAN", "raw/train and", "raw/val", "raw/nyuv2.zip", "raw/splits.mat", "datasets.nyuv2"):
        assert part in str(refused.value)


def test_an_error_leaves_the_finished_output_as_it_was(raw, tmp_path):
    config(raw).prepare("scenes", tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert sorted(before) == [SCHEMA, "test.parquet", "train.parquet"]
    (raw / "val/depth/1.npy").write_bytes(b"spoiled")
    with pytest.raises(DataError, match=r"1.npy"):
        config(raw).prepare("scenes", tmp_path / "out")
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
