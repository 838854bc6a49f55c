"""The learning rate by step, against numbers worked out by hand."""

import pytest

from mtbalance.config.training import ScheduleConfig
from mtbalance.training.run import train
from mtbalance.training.schedule import rate_factor


@pytest.mark.parametrize(("step", "factor"), [(0, 0.25), (1, 0.5), (3, 1.0), (4, 1.0), (39, 1.0)])
def test_warm_up_rises_linearly_over_its_share_of_the_steps(step, factor):
    assert rate_factor(ScheduleConfig(warmup=0.1), step, steps=40, epochs=4) == factor


@pytest.mark.parametrize(("step", "factor"), [(0, 1.0), (19, 1.0), (20, 0.5), (39, 0.5), (40, 0.25)])
def test_the_rate_drops_after_every_few_epochs(step, factor):
    assert rate_factor(ScheduleConfig(every=2), step, steps=50, epochs=5) == factor


def test_without_a_schedule_the_rate_stays():
    assert {rate_factor(ScheduleConfig(), step, steps=7, epochs=3) for step in range(7)} == {1.0}


@pytest.mark.parametrize("balancer", ["ls", "pub"])
def test_a_run_follows_its_schedule(configure, data, balancer):
    dropping = train(configure(balancer, schedule={"every": 1, "factor": 1e-30}), data)
    usual = train(configure(balancer), data)
    first, second = ([record.epochs[i].train_loss for record in (dropping, usual)] for i in (0, 1))
    assert first[0] == first[1] and second[0] != second[1]
