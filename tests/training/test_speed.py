import numpy as np
import pytest

from mtbalance.records import read_timing, write_record
from mtbalance.training import speed


def test_balancers_take_turns_on_the_same_clock(configure, data, monkeypatch, tmp_path):
    """With a clock that ticks once a look, every block lasts as long as every other."""
    ticks = iter(range(10**6))
    monkeypatch.setattr(speed.time, "perf_counter", lambda: float(next(ticks)))
    runs = [configure(name) for name in ("ls", "pub", "multibalance")]
    result = speed.measure(runs, data, blocks=3, steps=2)
    assert result.baseline == "ls" and list(result.balancers) == ["ls", "pub", "multibalance"]
    assert result.digests == {run.balancer.name: run.digest() for run in runs}
    for timing in result.balancers.values():
        assert timing.relative_throughput == 1 and timing.quartiles == (1, 1)
    write_record(tmp_path / "timing.json", result)
    assert read_timing(tmp_path / "timing.json") == result


def test_the_ratio_is_the_baselines_time_over_the_balancers():
    timing = speed.against(np.array([1.0, 1.0, 2.0]), np.array([2.0, 2.0, 4.0]), loading=1.0)
    assert timing.relative_throughput == 0.5
    assert timing.relative_throughput_with_data == pytest.approx(2 / 3)
