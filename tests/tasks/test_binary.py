import numpy as np
import pytest
import torch

from mtbalance.tasks import binary


def test_the_loss_by_hand():
    value = binary.loss(torch.tensor([0.0, np.log(3.0)]), torch.tensor([1.0, 0.0]))
    np.testing.assert_allclose(value, (np.log(2) + np.log(4)) / 2, rtol=1e-6)


def test_metrics_by_hand():
    found = binary.metrics(np.array([0.9, 0.6, 0.6, 0.1]), np.array([1, 1, 0, 0], dtype=np.int8))
    assert found["auc"] == pytest.approx(3.5 / 4)  # one of four pairs is tied
    loss = -(np.log(0.9) + np.log(0.6) + np.log(0.4) + np.log(0.9)) / 4
    assert found["log_loss"] == pytest.approx(loss)
    assert found["ne"] == pytest.approx(loss / np.log(2))


def test_predicting_the_rate_has_normalised_entropy_one():
    targets = (np.arange(1000) < 37).astype(np.int8)
    assert binary.metrics(np.full(1000, 0.037), targets)["ne"] == pytest.approx(1)


def test_a_single_label_has_no_metrics():
    with pytest.raises(ValueError, match="all 3 labels are 0"):
        binary.metrics(np.array([0.1, 0.2, 0.3]), np.zeros(3, dtype=np.int8))
