"""Tasks with one number for each row: labels that are missing, and rows that have weights."""

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss, mean_absolute_error, r2_score, roc_auc_score, root_mean_squared_error

from mtbalance.errors import UserError
from mtbalance.tasks.binary import Binary
from mtbalance.tasks.regression import Regression

NAN = float("nan")
TASKS = {
    "binary": lambda gaps: Binary("t", "T", gaps=gaps),
    "squared": lambda gaps: Regression("t", "T", gaps=gaps),
    "huber": lambda gaps: Regression("t", "T", gaps=gaps, huber=True),
}


def rows(kind: str, count: int = 40):
    """Outputs, labels of which a third is missing, and weights."""
    generator = torch.Generator().manual_seed(3)
    output, label, weight = torch.randn(3, count, generator=generator)
    label = (label > 0).float() if kind == "binary" else 2 * label
    return output, label.where(torch.arange(count) % 3 > 0, NAN), weight.abs()


@pytest.mark.parametrize("kind", TASKS)
def test_the_loss_is_the_mean_over_rows_with_a_label(kind):
    output, label, _ = rows(kind)
    given = ~label.isnan()
    expected = TASKS[kind](False).loss(output[given], label[given])
    torch.testing.assert_close(TASKS[kind](True).loss(output, label), expected)


@pytest.mark.parametrize("kind", TASKS)
def test_a_weight_of_two_is_two_rows(kind):
    output, label, _ = rows(kind)
    weight = 1.0 + torch.arange(len(label)) % 2
    twice = torch.repeat_interleave(torch.arange(len(label)), weight.long())
    expected = TASKS[kind](True).loss(output[twice], label[twice])
    torch.testing.assert_close(TASKS[kind](True).loss(output, torch.stack([label, weight], dim=1)), expected)


@pytest.mark.parametrize("kind", TASKS)
@pytest.mark.parametrize("case", ["no label", "no weight"])
def test_rows_that_do_not_count_give_no_loss_and_no_gradient(kind, case):
    output, label, weight = rows(kind)
    output.requires_grad_()
    target = torch.stack([label, 0 * weight], dim=1) if case == "no weight" else torch.full_like(label, NAN)
    loss = TASKS[kind](True).loss(output, target)
    loss.backward()
    assert loss == 0 and (output.grad == 0).all() and TASKS[kind](True).size(target) == 0


@pytest.mark.parametrize("kind", TASKS)
def test_only_rows_with_a_label_have_a_gradient(kind):
    output, label, _ = rows(kind)
    output.requires_grad_()
    TASKS[kind](True).loss(output, label).backward()
    assert torch.equal(output.grad != 0, ~label.isnan())


def test_the_size_of_a_batch_is_what_its_loss_counts():
    _, label, weight = rows("squared")
    given = ~label.isnan()
    assert TASKS["squared"](False).size(label) == 40
    assert TASKS["squared"](True).size(label) == int(given.sum())
    assert TASKS["squared"](True).size(torch.stack([label, weight], dim=1)) == pytest.approx(float(weight[given].sum()))


def test_scikit_learn_measures_the_same_binary_rows():
    output, label, weight = rows("binary")
    meter = TASKS["binary"](True).meter()
    for part in torch.stack([label, weight], dim=1).split(7), label.split(7):  # weights do not count in metrics
        meter = TASKS["binary"](True).meter()
        for outputs, targets in zip(output.split(7), part, strict=True):
            meter.add(outputs, targets)
        given = ~label.isnan().numpy()
        truth, probability = label.numpy()[given], output.double().sigmoid().numpy()[given]
        found = meter.result()
        assert found["auc"] == pytest.approx(roc_auc_score(truth, probability))
        assert found["log_loss"] == pytest.approx(log_loss(truth, probability))


def test_scikit_learn_measures_the_same_regression_in_the_labels_unit():
    output, label, _ = rows("squared")
    task = Regression("t", "T", gaps=True, in_units=lambda values: np.expm1(0.5 * values + 1))
    meter = task.meter()
    for outputs, targets in zip(output.split(7), label.split(7), strict=True):
        meter.add(outputs, targets)
    given = ~label.isnan().numpy()
    truth, predicted = task.labels(label)[given], task.predicted(output)[given]
    np.testing.assert_allclose(truth, np.expm1(0.5 * label.double().numpy()[given] + 1))
    assert meter.result() == pytest.approx(
        {
            "rmse": root_mean_squared_error(truth, predicted),
            "mae": mean_absolute_error(truth, predicted),
            "r2": r2_score(truth, predicted),
        }
    )


@pytest.mark.parametrize(
    ("kind", "labels", "says"),
    [
        ("binary", [NAN, NAN], "no row has a label"),
        ("binary", [1, NAN], "all 1 labels are 1"),
        ("squared", [NAN, NAN], "no row has a label"),
        ("squared", [2, 2], "the 2 labels are all alike"),
    ],
)
def test_metrics_without_labels_that_differ_are_refused(kind, labels, says):
    meter = TASKS[kind](True).meter()
    meter.add(torch.zeros(2), torch.tensor(labels))
    with pytest.raises(UserError, match=says):
        meter.result()


def test_predictions_beyond_all_numbers_are_a_failed_run():
    meter = Regression("t", "T", in_units=np.exp).meter()
    meter.add(torch.tensor([1e4, 0.0]), torch.tensor([0.0, 1.0]))
    with pytest.raises(FloatingPointError), np.errstate(over="ignore"):
        meter.result()


def test_labels_are_as_small_as_their_values_allow():
    task = Binary("t", "T", gaps=True)
    assert task.labels(torch.tensor([1.0, 0.0])).dtype == np.int8
    assert task.labels(torch.tensor([1.0, NAN])).dtype == np.float32
    assert task.predicted(torch.zeros(2)).dtype == np.float32
