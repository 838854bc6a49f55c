import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss, roc_auc_score
from torch.nn.functional import binary_cross_entropy_with_logits

from mtbalance.tasks import binary


def test_the_loss_by_hand():
    value = binary.Binary("click", "Click").loss(torch.tensor([0.0, np.log(3.0)]), torch.tensor([1.0, 0.0]))
    np.testing.assert_allclose(value, (np.log(2) + np.log(4)) / 2, rtol=1e-6)


def logit(probabilities):
    return np.log(probabilities) - np.log1p(-np.asarray(probabilities))


def test_metrics_by_hand():
    found = binary.metrics(logit([0.9, 0.6, 0.6, 0.1]), np.array([1, 1, 0, 0], dtype=np.int8))
    assert found["auc"] == pytest.approx(3.5 / 4)  # one of four pairs is tied
    loss = -(np.log(0.9) + np.log(0.6) + np.log(0.4) + np.log(0.9)) / 4
    assert found["log_loss"] == pytest.approx(loss)
    assert found["ne"] == pytest.approx(loss / np.log(2))


def test_predicting_the_rate_has_normalized_entropy_one():
    targets = (np.arange(1000) < 37).astype(np.int8)
    assert binary.metrics(logit(np.full(1000, 0.037)), targets)["ne"] == pytest.approx(1)


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_scikit_learn(seed):
    generator = np.random.default_rng(seed)
    scores = np.round(generator.normal(size=5000), seed)  # fewer digits, more ties
    targets = (generator.random(5000) < 0.05 + 0.1 * (scores > 0)).astype(np.int8)
    found = binary.metrics(scores, targets)
    assert found["auc"] == pytest.approx(roc_auc_score(targets, scores), abs=1e-14)
    assert found["log_loss"] == pytest.approx(log_loss(targets, 1 / (1 + np.exp(-scores))), rel=1e-12)


def test_the_log_loss_of_a_sure_mistake_is_finite():
    assert binary.metrics(np.array([1000.0, -1000.0]), np.array([0, 1], dtype=np.int8))["log_loss"] == 1000


def test_a_single_label_has_no_metrics():
    with pytest.raises(ValueError, match="all 3 labels are 0"):
        binary.metrics(np.array([0.1, 0.2, 0.3]), np.zeros(3, dtype=np.int8))


def test_the_task_and_its_meter_give_the_functions_numbers():
    """Whatever the batches, and in float64 from float32 outputs."""
    task = binary.Binary("click", "Click")
    logits = torch.randn(50)
    targets = (torch.rand(50) < 0.3).float()
    assert torch.equal(task.loss(logits, targets), binary_cross_entropy_with_logits(logits, targets))
    meter = task.meter()
    for part in zip(logits.split(7), targets.split(7), strict=True):
        meter.add(*part)
    assert meter.result() == binary.metrics(logits.double().numpy(), targets.numpy().astype(np.int8))
