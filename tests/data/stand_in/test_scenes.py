"""Generated scenes: image, classes, depths and normals belong together."""

import zipfile

import numpy as np
import pytest
from scene_data import HEIGHT, SMALL, WIDTH, config, rows
from scipy.ndimage import binary_erosion

from mtbalance.data import DataError
from mtbalance.data.adapters.synthetic_scenes import ARCHIVE
from mtbalance.data.files.checksums import sha256_of
from mtbalance.data.scenes.scene import Scene
from mtbalance.data.scenes.schema import CLASSES
from mtbalance.data.stand_in.gaps import borders
from mtbalance.data.stand_in.generated import MARK
from mtbalance.data.stand_in.geometry import pixel_rays
from mtbalance.data.stand_in.rendering import render
from mtbalance.data.stand_in.rooms import draw_room
from mtbalance.data.stand_in.scenes import draw_scene
from mtbalance.errors import UserError

SEEDS = range(12)


def drawn(split: str, index: int) -> Scene:
    """A scene of the small set."""
    return draw_scene(split, index, HEIGHT, WIDTH, SMALL.seed)


@pytest.fixture(scope="module")
def whole():
    """Scenes without gaps, and their surfaces."""
    for_each = [np.random.default_rng(seed) for seed in SEEDS]
    return [render(draw_room(random), 96, 128, random) for random in for_each]


@pytest.fixture(scope="module")
def many():
    """Scenes of the default size."""
    return [draw_scene("train", index, 64, 96, SMALL.seed) for index in range(80)]


def test_normals_are_those_of_the_back_projected_depth(whole):
    angles = []
    for scene, surfaces in whole:
        points = scene.depth[..., None].astype(float) * pixel_rays(96, 128).reshape(96, 128, 3)
        right, down = points[1:-1, 2:] - points[1:-1, :-2], points[2:, 1:-1] - points[:-2, 1:-1]
        normal = np.cross(down, right)  # x right, y down, z ahead: towards the camera
        normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
        inside = binary_erosion(~borders(surfaces), np.ones((3, 3)))[1:-1, 1:-1]
        cosine = (normal * scene.normal[1:-1, 1:-1]).sum(axis=-1)[inside]
        angles.append(np.degrees(np.arccos(cosine.clip(-1, 1))))
    angles = np.concatenate(angles)
    assert angles.size > 50_000
    assert np.quantile(angles, 0.98) < 0.1  # the rest is on spheres, which are not flat
    assert angles.max() < 60


def test_normals_are_unit_vectors_that_face_the_camera(whole):
    rays = pixel_rays(96, 128).reshape(96, 128, 3)
    for scene, _ in whole:
        assert np.linalg.norm(scene.normal, axis=-1) == pytest.approx(1, abs=1e-6)
        assert ((scene.normal * rays).sum(axis=-1) < 1e-6).all()


def test_edges_of_depth_are_edges_of_surfaces_and_a_surface_has_one_class(whole):
    for scene, surfaces in whole:
        for surface in np.unique(surfaces):
            assert np.unique(scene.label[surfaces == surface]).size == 1
        # on a plane 1 / depth is linear in the pixel: its second difference is zero but at an edge
        inverse = 1 / scene.depth.astype(float)
        second = np.abs(inverse[:, 2:] - 2 * inverse[:, 1:-1] + inverse[:, :-2])
        sphere = np.isin(surfaces, [s for s in np.unique(surfaces) if _is_curved(scene, surfaces == s)])
        inside = ~(borders(surfaces) | sphere)[:, 1:-1]
        assert second[inside].max() < 1e-5


def _is_curved(scene, here) -> bool:
    return bool(np.ptp(scene.normal[here], axis=0).max() > 1e-5)


def test_floors_are_below_and_ceilings_above(whole):
    kinds = {name: CLASSES.index(name) for name in ("floor", "ceiling", "wall")}
    found = set()
    for scene, _ in whole:
        up = {name: -scene.normal[scene.label == kind][:, 1] for name, kind in kinds.items()}  # y is down
        found |= {name for name, values in up.items() if values.size}
        assert (up["floor"] > 0.8).all() and (up["ceiling"] < -0.8).all()
        assert (np.abs(up["wall"]) < 0.6).all()
    assert found == set(kinds)


def test_gaps_have_shares_like_the_real_set(many):
    unlabeled = np.mean([(scene.label == -1).mean() for scene in many])
    no_depth = np.mean([(scene.depth == 0).mean() for scene in many])
    no_normal = np.mean([(~scene.normal.any(axis=-1)).mean() for scene in many])
    assert unlabeled == pytest.approx(0.171, abs=0.02)  # the official test labels
    assert 0.1 < no_depth < no_normal < 0.25  # the one real map of normals: 0.22
    for scene in many:
        assert (scene.depth[scene.normal.any(axis=-1)] > 0).all()


def test_every_class_occurs_and_none_is_nearly_all(many):
    pixels = np.bincount(np.concatenate([scene.label[scene.label >= 0] for scene in many]), minlength=13)
    shares = pixels / pixels.sum()
    assert shares.min() > 0.003 and shares.max() < 0.5
    assert max(scene.depth.max() for scene in many) < 10


@pytest.mark.parametrize("task", ["label", "depth", "normal"])
def test_each_task_can_be_learned_from_the_image(many, task):
    """A linear model of a pixel's color and place beats the best constant on other scenes."""
    rows, columns = np.mgrid[-1:1:64j, -1:1:96j]

    def features(scenes):
        color = np.concatenate([scene.image.reshape(-1, 3) for scene in scenes])
        place = np.tile(np.stack([rows, columns, rows**2, columns**2], -1).reshape(-1, 4), (len(scenes), 1))
        return np.hstack([color, color**2, place, np.ones((len(place), 1))])

    def targets(scenes):
        if task == "label":
            return np.concatenate([np.eye(13)[scene.label.reshape(-1)] for scene in scenes])
        return np.concatenate([np.atleast_3d(getattr(scene, task)).reshape(64 * 96, -1) for scene in scenes])

    train, test = many[:60], many[60:]
    known = [np.concatenate([_known(scene, task).reshape(-1) for scene in part]) for part in (train, test)]
    x, y = features(train)[known[0]], targets(train)[known[0]].astype(float)
    weights = np.linalg.lstsq(x, y, rcond=None)[0]
    error = targets(test)[known[1]] - features(test)[known[1]] @ weights
    constant = targets(test)[known[1]] - y.mean(axis=0)
    assert (error**2).sum() < 0.9 * (constant**2).sum()


def _known(scene, task):
    return {"label": scene.label >= 0, "depth": scene.depth > 0, "normal": scene.normal.any(axis=-1)}[task]


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(generated_scenes, tmp_path):
    SMALL.generate(tmp_path / "same")
    SMALL.model_copy(update={"seed": 4}).generate(tmp_path / "other")
    same, other = (sha256_of(tmp_path / name / ARCHIVE) for name in ("same", "other"))
    assert sha256_of(generated_scenes / ARCHIVE) == same != other


def test_a_scene_depends_on_its_place_and_on_no_other_scene(generated_scenes, tmp_path):
    larger = SMALL.model_copy(update={"train_scenes": SMALL.train_scenes + 1, "test_scenes": SMALL.test_scenes + 2})
    larger.generate(tmp_path / "larger")
    with zipfile.ZipFile(generated_scenes / ARCHIVE) as one, zipfile.ZipFile(tmp_path / "larger" / ARCHIVE) as other:
        assert set(one.namelist()) < set(other.namelist())
        assert all(one.read(name) == other.read(name) for name in one.namelist())
    images = [drawn(split, index).image for split in ("train", "test") for index in range(4)]
    assert len({image.tobytes() for image in images}) == 8


def test_prepared_scenes_are_those_that_were_drawn_and_called_synthetic(
    generated_scenes, prepared_scenes, tmp_path, monkeypatch
):
    for split, count in (("train", SMALL.train_scenes), ("test", SMALL.test_scenes)):
        for index, scene in enumerate(rows(prepared_scenes, split)):
            assert all(np.array_equal(a, b) for a, b in zip(scene, drawn(split, index), strict=True))
        assert index + 1 == count
    monkeypatch.chdir(generated_scenes.parents[2])
    schema = SMALL.prepare(generated_scenes.name, tmp_path / "out")
    assert schema.synthetic and (schema.height, schema.width) == (HEIGHT, WIDTH)
    assert [f"{task.name}: {task.title}" for task in schema.tasks] == [
        "segmentation: Segmentation",
        "depth: Depth",
        "normal: Surface normal",
    ]
    with pytest.raises(DataError, match="synthetic"):
        SMALL.prepare("nyuv2", tmp_path / "out")


def test_prepare_generates_once_and_again_for_another_configuration(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = SMALL.prepare("synthetic_small", tmp_path / "out")
    archive = tmp_path / "data/raw/synthetic_small" / ARCHIVE
    written = archive.stat().st_mtime_ns
    assert SMALL.prepare("synthetic_small", tmp_path / "out") == first
    assert archive.stat().st_mtime_ns == written and (archive.parent / MARK).is_file()
    other = SMALL.model_copy(update={"seed": 9}).prepare("synthetic_small", tmp_path / "out")
    assert not set(other.raw.values()) & set(first.raw.values())


def test_real_data_are_not_generated(tmp_path):
    with pytest.raises(UserError, match="nyuv2 is real"):
        config(tmp_path).generate(tmp_path)
