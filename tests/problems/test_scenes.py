import numpy as np
import pytest
import torch

from mtbalance.data.scenes.schema import CLASSES


@pytest.fixture
def problem(problems):
    return problems["scenes"]


def test_the_constant_prediction_is_that_of_the_training_pixels(problem):
    facts = problem.facts()["constant"]
    classes, depths = [], []
    for batch in problem.split("test").batches(5, None):
        classes.append(batch.targets[0].numpy())
        depths.append(batch.targets[1].numpy())
    train_pixels = problem.schema.splits["train"].class_pixels
    valid = np.concatenate(classes) != -1
    share = (np.concatenate(classes)[valid] == np.argmax(train_pixels)).mean()
    assert facts["segmentation"]["pixel_accuracy"] == pytest.approx(share)
    known = np.concatenate(depths)
    known = known[known > 0].astype(np.float64)
    assert facts["depth"]["abs_error"] == pytest.approx(np.abs(known - problem.schema.mean_depth).mean(), rel=1e-5)


def test_a_sample_is_images_targets_and_predicted_classes_depths_and_normals(problem):
    batch = next(problem.split("test").batches(2, None))
    scores, depth, normal = problem.model().eval()(batch.inputs)
    sample = problem.sample(batch, [scores.detach(), depth.detach(), normal.detach()])
    names = ("segmentation", "depth", "normal")
    assert set(sample) == {"image", "classes", *names, *(f"predicted_{name}" for name in names)}
    assert torch.equal(torch.from_numpy(sample["image"]), batch.inputs[0])
    for name, target in zip(names, batch.targets, strict=True):
        assert torch.equal(torch.from_numpy(sample[name]), target)
    assert np.array_equal(sample["predicted_segmentation"], scores.detach().numpy().argmax(axis=1))
    assert np.array_equal(sample["predicted_depth"], depth.detach().numpy())
    assert np.array_equal(sample["predicted_normal"], normal.detach().numpy())
    assert tuple(sample["classes"]) == CLASSES


def test_parameters_are_laid_out_channels_last_where_the_training_says_so(problem):
    weights = [parameter for parameter in problem.model().parameters() if parameter.dim() == 4]
    assert problem.config.training.channels_last
    assert all(weight.is_contiguous(memory_format=torch.channels_last) for weight in weights)
