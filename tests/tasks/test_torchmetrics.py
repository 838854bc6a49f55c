"""Scene metrics against an independent library, TorchMetrics, on random masks."""

import pytest
import torch
from torchmetrics.classification import MulticlassAccuracy, MulticlassJaccardIndex
from torchmetrics.regression import MeanAbsoluteError

from mtbalance.tasks.depth import Depth
from mtbalance.tasks.segmentation import Segmentation


@pytest.mark.parametrize("present", [13, 5], ids=lambda classes: f"{classes} of 13 classes occur")
@pytest.mark.parametrize("seed", range(3))
def test_segmentation(present, seed):
    torch.manual_seed(seed)
    ours = Segmentation("segmentation", "Segmentation").meter()
    jaccard = MulticlassJaccardIndex(13, average="macro", ignore_index=-1)
    accuracy = MulticlassAccuracy(13, average="micro", ignore_index=-1)
    for count in (3, 1, 2):
        target = torch.randint(-1, present, (count, 9, 11))
        output = torch.randn(count, 13, 9, 11)
        output[:, present:] = -100
        output.scatter_add_(1, target.clamp(min=0)[:, None], torch.full((count, 1, 9, 11), 1.5))
        ours.add(output, target)
        jaccard.update(output, target)
        accuracy.update(output, target)
    expected = {"miou": float(jaccard.compute()), "pixel_accuracy": float(accuracy.compute())}
    assert ours.result() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_depth(seed):
    torch.manual_seed(seed)
    ours, theirs = Depth("depth", "Depth").meter(), MeanAbsoluteError()
    for count in (3, 1, 2):
        target = (10 * torch.rand(count, 1, 9, 11) - 2).clamp(min=0)  # a fifth of the pixels has no depth
        output = target + torch.randn_like(target)
        ours.add(output, target)
        theirs.update(output[target > 0], target[target > 0])
    assert ours.result()["abs_error"] == pytest.approx(float(theirs.compute()), abs=1e-6)
