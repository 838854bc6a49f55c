import numpy as np
import pytest

from mtbalance.training import speed


def test_balancers_take_turns_on_the_same_clock(configure, data, monkeypatch):
    """With a clock that ticks once a look, every block lasts as long as every other."""
    ticks = iter(range(10**6))
    monkeypatch.setattr(speed.time, "perf_counter", lambda: float(next(ticks)))
    runs = [configure(name) for name in ("ls", "pub", "multibalance")]
    result = speed.measure(runs, data, blocks=3, steps=2)
    assert result["baseline"] == "ls" and list(result["balancers"]) == ["ls", "pub", "multibalance"]
    assert result["digests"] == {run.balancer.name: run.digest() for run in runs}
    for numbers in result["balancers"].values():
        assert numbers["relative_throughput"] == 1 and numbers["quartiles"] == [1, 1]


def test_the_ratio_is_the_baselines_time_over_the_balancers():
    numbers = speed.against(np.array([1.0, 1.0, 2.0]), np.array([2.0, 2.0, 4.0]), loading=1.0)
    assert numbers["relative_throughput"] == 0.5
    assert numbers["relative_throughput_with_data"] == pytest.approx(2 / 3)
