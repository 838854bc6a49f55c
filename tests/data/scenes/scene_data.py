"""Small scenes for these tests."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

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
