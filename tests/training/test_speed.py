import numpy as np
import pytest

from mtbalance.records import read_timing, write_record
from mtbalance.training import speed


@pytest.fixture
def clock(monkeypatch):
    """A clock that only training steps move: a step by 2 seconds, one with a search by 5."""
    seconds = {"now": 0.0}
    train_step = speed.train_step

    def step(model, tasks, level, *others):
        report = train_step(model, tasks, level, *others)
        seconds["now"] += 5 if level.searched and getattr(level.options, "every", 1) > 1 else 2
        return report

    monkeypatch.setattr(speed, "train_step", step)
    monkeypatch.setattr(speed, "now", lambda device: seconds["now"])


def test_balancers_take_turns_on_the_same_clock(configure, data, clock, tmp_path):
    runs = [configure(name) for name in ("ls", "pub", "multibalance")]
    result = speed.measure(runs, data, blocks=3, steps=6)
    assert result.baseline == "ls" and list(result.balancers) == ["ls", "pub", "multibalance"]
    assert result.digests == {run.balancer.name: run.digest() for run in runs}
    ls, pub, multibalance = result.balancers.values()
    assert ls.relative_throughput == multibalance.relative_throughput == 1 and ls.quartiles == (1, 1)
    # PUB searches every 3 steps: (5 + 2 + 2) / 3 seconds a step, and a search adds 3.
    assert (pub.seconds_a_step, pub.seconds_a_search) == (3, 3) and pub.relative_throughput == pytest.approx(2 / 3)
    assert ls.seconds_a_search is None, "no step has a search"
    assert multibalance.seconds_a_search is None, "every step has one"
    write_record(tmp_path / "timing.json", result)
    assert read_timing(tmp_path / "timing.json") == result


def test_the_timing_says_of_what_it_is(configure, data):
    result = speed.measure([configure("ls"), configure("multibalance")], data, blocks=1, steps=1)
    assert result.synthetic and result.train_rows == 1500 and result.batch_size == 256
    assert result.model.shared + result.model.private == result.model.parameters > 0


def test_a_block_without_a_search_says_nothing_of_searches(configure, data, clock):
    (_, pub) = speed.measure([configure("ls"), configure("pub")], data, blocks=4, steps=1).balancers.values()
    # Steps 2 to 5 are timed; only step 4 searches, and a block of one step has nothing to compare it with.
    assert pub.seconds_a_search is None and pub.seconds_a_step == 2


def test_the_ratio_is_the_baselines_time_over_the_balancers():
    timing = speed.against(np.array([1.0, 1.0, 2.0]), np.array([2.0, 2.0, 4.0]), loading=1.0)
    assert timing.relative_throughput == 0.5
    assert timing.relative_throughput_with_data == pytest.approx(2 / 3)
