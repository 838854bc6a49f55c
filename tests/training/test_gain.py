"""Whether a run without a chosen epoch says that it was still getting better when it ended."""

import math
from types import SimpleNamespace

import pytest

from mtbalance.training.gain import gain
from mtbalance.training.run import train

TASKS = [
    SimpleNamespace(name="segmentation", metrics={"miou": 1}),
    SimpleNamespace(name="depth", metrics={"abs_error": -1, "rel_error": -1}),
]


def epochs(*found):
    names = ("miou", "segmentation"), ("abs_error", "depth"), ("rel_error", "depth")
    return [
        SimpleNamespace(evaluation={metric: {task: value} for (metric, task), value in zip(names, values, strict=True)})
        for values in found
    ]


def test_the_gain_is_a_mean_over_metrics_within_a_task_first():
    run = epochs((0.1, 9, 9), (0.4, 2.0, 1.0), (0.6, 2.0, 1.0), (0.5, 1.0, 1.0), (0.6, 2.0, 1.0))
    assert gain(run, 2, TASKS) == pytest.approx(((0.55 - 0.5) / 0.5 + ((2.0 - 1.5) / 2.0 + 0) / 2) / 2)
    assert gain(run[:-2] + run[-2:][::-1], 2, TASKS) == gain(run, 2, TASKS)


def test_what_gets_worse_has_a_negative_gain():
    assert gain(epochs((0.4, 1, 1), (0.2, 2, 1)), 1, TASKS) == pytest.approx((-0.5 - 0.5) / 2)


@pytest.mark.parametrize("run", [epochs((0.4, 1, 1)), epochs((0.0, 1, 1), (0.2, 1, 1))])
def test_there_is_no_gain_over_nothing(run):
    assert math.isnan(gain(run, 1, TASKS))


def test_a_run_without_earlier_epochs_says_so(configure, data):
    record = train(configure(selection="last", last_epochs=2, epochs=2), data)
    assert any("no epochs before the last 2" in sign for sign in record.unconverged)


@pytest.mark.parametrize(("rate", "gains"), [(1e-3, True), (1e-9, False)])
def test_a_run_that_still_gains_says_so(configure, data, rate, gains):
    record = train(configure(selection="last", last_epochs=2, epochs=12, optimizer={"lr": rate}), data)
    assert any("the last 2 epochs were better" in sign for sign in record.unconverged) == gains
