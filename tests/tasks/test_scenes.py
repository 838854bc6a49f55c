"""Losses and metrics of scenes, by hand and against NumPy."""

import numpy as np
import pytest
import torch

from mtbalance.tasks._pixels import PixelMeans
from mtbalance.tasks.depth import Depth
from mtbalance.tasks.normal import Normal
from mtbalance.tasks.segmentation import Segmentation

SEGMENTATION, DEPTH, NORMAL = Segmentation("s", "S"), Depth("d", "D"), Normal("n", "N")
HALF_A_BIN = 0.5001e-3
"""Degrees; a hair more than 0.0005, for angles that rounding puts beyond the edge of a bin."""


def confident(classes, number: int = 3):
    """Log-probabilities [1, number, 1, W] of .8 for these classes, the rest shared."""
    one = torch.nn.functional.one_hot(torch.tensor([[classes]]), number).movedim(-1, 1)
    return torch.where(one == 1, 0.8, 0.2 / (number - 1)).log()


def meter_of(task, *batches):
    meter = task.meter()
    for output, target in batches:
        meter.add(output, target)
    return meter.result()


def test_segmentation_by_hand():
    output, target = confident([0, 1, 1, 2]), torch.tensor([[[0, 1, 0, -1]]])
    expected = -(2 * np.log(0.8) + np.log(0.1)) / 3
    assert SEGMENTATION.loss(output, target).item() == pytest.approx(expected, rel=1e-6)
    # Class 0: one hit of two; class 1: one hit, one false alarm; class 2 is nowhere among the valid pixels.
    assert meter_of(SEGMENTATION, (output, target)) == pytest.approx({"miou": 0.5, "pixel_accuracy": 2 / 3})


def test_a_class_only_predicted_or_only_there_counts_as_missed():
    found = meter_of(SEGMENTATION, (confident([0, 1], 4), torch.tensor([[[0, 2]]])))
    assert found == pytest.approx({"miou": (1 + 0 + 0) / 3, "pixel_accuracy": 0.5})


def depths(*values):
    return torch.tensor(values).view(1, 1, 1, -1)


def test_depth_by_hand():
    output, target = depths(1.0, 3.0, 7.0), depths(2.0, 2.5, 0.0)
    assert DEPTH.loss(output, target).item() == pytest.approx(0.75)
    found = meter_of(DEPTH, (output, target))
    assert {name: found[name] for name in DEPTH.metrics} == pytest.approx(
        {"abs_error": 0.75, "rel_error": (0.5 + 0.2) / 2}
    )


def test_both_ways_to_average():
    """Two batches of 1 and 3 pixels, and one without any."""
    batches = [
        (depths(1.0, 0.0, 0.0), depths(2.0, 0.0, 0.0)),
        (depths(1.0, 1.0, 1.0), depths(4.0, 4.0, 4.0)),
        (depths(5.0), depths(0.0)),
    ]
    found = meter_of(DEPTH, *batches)
    assert found == pytest.approx(
        {
            "abs_error": (1 + 9) / 4,
            "rel_error": (0.5 + 3 * 0.75) / 4,
            "abs_error_batch_mean": (1 + 3) / 2,
            "rel_error_batch_mean": (0.5 + 0.75) / 2,
        }
    )


def normals(degrees):
    """Unit vectors [1, 3, 1, W] at angles to the x axis, in the plane of x and y."""
    radians = torch.deg2rad(torch.as_tensor(degrees, dtype=torch.float64))
    return torch.stack([radians.cos(), radians.sin(), torch.zeros_like(radians)])[None, :, None]


def test_normals_by_hand():
    output, target = normals([0.0, 20.0, 60.0, 11.0]), normals([0.0, 0.0, 0.0, 0.0])
    cosines = np.cos(np.deg2rad([0, 20, 60, 11]))
    assert NORMAL.loss(output, target).item() == pytest.approx(1 - cosines.mean())
    found = meter_of(NORMAL, (output, target))
    exact = {"mean_angle": 91 / 4, "within_11_25": 0.5, "within_22_5": 0.75, "within_30": 0.75}
    assert {name: found[name] for name in exact} == pytest.approx(exact)
    assert found["median_angle"] == pytest.approx((11 + 20) / 2, abs=HALF_A_BIN)


def test_the_median_of_medians():
    reference = normals([0.0])
    parts = [normals([1.0, 2.0, 9.0]), normals([40.0]), normals([30.0, 31.0])]
    found = meter_of(NORMAL, *((part, reference.expand_as(part)) for part in parts))
    assert found["median_angle_batch_mean"] == pytest.approx((2 + 40 + 30.5) / 3, abs=HALF_A_BIN)
    assert found["median_angle"] == pytest.approx((9 + 30) / 2, abs=HALF_A_BIN)
    assert found["mean_angle_batch_mean"] == pytest.approx((4 + 40 + 30.5) / 3)


def test_the_largest_and_the_smallest_angle():
    found = meter_of(NORMAL, (normals([180.0, 180.0, 0.0]), normals([0.0, 0.0, 0.0])))
    assert found["mean_angle"] == pytest.approx(120, abs=1e-6)
    assert found["median_angle"] == pytest.approx(180, abs=HALF_A_BIN)


def test_a_normal_whose_components_add_up_to_zero_counts():
    assert NORMAL.loss(normals([45.0]), normals([-45.0])).item() == pytest.approx(1)
    assert meter_of(NORMAL, (normals([45.0]), normals([-45.0])))["mean_angle"] == pytest.approx(90)


@pytest.mark.parametrize("spread", [0.05, 0.5, 3.0])
def test_angles_against_numpy(spread):
    """At three qualities of prediction, float32 inputs and NumPy in float64."""
    generator = np.random.default_rng(0)
    target = generator.normal(size=(6, 3, 16, 24))
    output = target / np.linalg.norm(target, axis=1, keepdims=True) + spread * generator.normal(size=target.shape)
    output, target = ((one / np.linalg.norm(one, axis=1, keepdims=True)).astype(np.float32) for one in (output, target))
    valid = generator.random((6, 1, 16, 24)) < 0.7
    found = meter_of(NORMAL, (torch.from_numpy(output), torch.from_numpy(target * valid)))
    cosine = (output.astype(np.float64) * target).sum(axis=1)[valid[:, 0]]
    angle = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    expected = {
        "mean_angle": angle.mean(),
        "within_11_25": (angle < 11.25).mean(),
        "within_22_5": (angle < 22.5).mean(),
        "within_30": (angle < 30).mean(),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-6)
    assert found["median_angle"] == pytest.approx(np.median(angle), abs=HALF_A_BIN)
    assert found["median_angle_batch_mean"] == found["median_angle"]


def test_means_do_not_lose_small_values_beside_many():
    """Sums of float32 would stop growing at 2^24."""
    means = PixelMeans()
    for _ in range(40):
        means.add({"value": torch.full((1_000_000,), 1.0)})
    assert means.result()["value"] == 1
