"""Small scenes for these tests."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import scipy.io
from PIL import Image
from sample_data import shared

from mtbalance.data.adapters.nyuv2 import NYUv2
from mtbalance.data.adapters.synthetic_scenes import SyntheticScenes
from mtbalance.data.scenes.scene import Scene

HEIGHT, WIDTH = 32, 64
SMALL = SyntheticScenes(adapter="synthetic_scenes", train_scenes=6, test_scenes=4, height=HEIGHT, width=WIDTH, seed=3)


def arrays(random: np.random.Generator, dtype: str = "float32") -> dict[str, np.ndarray]:
    """Four arrays of noise in the pre-processed layout, with unknown pixels."""
    normal = random.normal(size=(HEIGHT, WIDTH, 3))
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    normal[random.random((HEIGHT, WIDTH)) < 0.2] = 0
    depth = random.uniform(0.5, 8, (HEIGHT, WIDTH, 1)) * (random.random((HEIGHT, WIDTH, 1)) < 0.9)
    label = random.integers(-1, 13, (HEIGHT, WIDTH))
    content = {"image": random.random((HEIGHT, WIDTH, 3)), "label": label, "depth": depth, "normal": normal}
    return {kind: values.astype(dtype) for kind, values in content.items()}


def write_sides(folder: Path, dtype: str = "float32", **counts: int) -> dict[str, list[dict[str, np.ndarray]]]:
    """Write ``train`` and ``val`` with as many scenes of noise, and return their arrays."""
    random = np.random.default_rng(0)
    written = {side: [arrays(random, dtype) for _ in range(count)] for side, count in counts.items()}
    for side, scenes in written.items():
        for number, content in enumerate(scenes):
            for kind, values in content.items():
                (folder / side / kind).mkdir(parents=True, exist_ok=True)
                np.save(folder / side / kind / f"{number}.npy", values)
    return written


def config(folder: Path, train: int = 3, test: int = 2, **changes: object) -> NYUv2:
    """The configuration of a folder of small scenes."""
    sizes = {"height": HEIGHT, "width": WIDTH, "train_images": train, "test_images": test}
    return NYUv2(adapter="nyuv2", folder=str(folder), **(sizes | changes))


def rows(folder: Path, split: str) -> list[Scene]:
    """All scenes of a prepared split."""
    file = pq.ParquetFile(folder / f"{split}.parquet")
    return [Scene.from_table(file.read_row_group(number)) for number in range(file.num_row_groups)]


def write_splits(folder: Path, train: list[int], test: list[int]) -> None:
    """Write ``splits.mat`` with these numbers of images."""
    folder.mkdir(parents=True, exist_ok=True)
    indices = {"trainNdxs": np.array(train, np.uint16)[:, None], "testNdxs": np.array(test, np.uint16)[:, None]}
    scipy.io.savemat(folder / "splits.mat", indices)


def write_picture(folder: Path, kind: str, number: int, values: np.ndarray) -> Path:
    """Write an official piece as PNG."""
    (folder / kind).mkdir(parents=True, exist_ok=True)
    path = folder / kind / f"nyu_{number:04d}.png"
    Image.fromarray(values).save(path)
    return path


def write_pieces(folder: Path) -> None:
    """Write the official pieces of three scenes of noise; 7 and 3 for training, 5 for testing."""
    random = np.random.default_rng(0)
    write_splits(folder, [7, 3], [5])
    for number in (3, 5, 7):
        write_picture(folder, "image", number, random.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8))
        write_picture(folder, "label", number, random.integers(0, 14, (HEIGHT, WIDTH), np.uint8))
        write_picture(folder, "depth", number, random.integers(0, 40_000, (HEIGHT, WIDTH), np.uint16))
        normal = random.normal(size=(HEIGHT, WIDTH, 3))
        normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
        write_picture(folder, "normal", number, np.round(127 * (normal + 1)).astype(np.uint8))


def place_real(folder: Path, number: int) -> None:
    """Place the official pieces of a real image, 433 or 464. The latter's normals are not known: all are "none"."""
    sample = f"nyuv2_samples/full_480x640/{number:06}"
    files = {
        "image": shared(f"{sample}_rgb.png"),
        "label": shared(f"nyuv2_samples/class13_480x640/new_nyu_class13_{number:04}.png"),
        "depth": shared(f"{sample}_depth_u16_div5000.png"),
    }
    if number == 433:
        files["normal"] = shared(f"{sample}_normal.png")
    for kind in Scene._fields:
        (folder / kind).mkdir(parents=True, exist_ok=True)
        place = folder / kind / f"{number:06}.png"
        if kind in files:
            place.symlink_to(files[kind])
        else:
            Image.fromarray(np.full((480, 640, 3), 127, np.uint8)).save(place)
