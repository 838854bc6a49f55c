import pytest

from mtbalance.errors import UserError
from mtbalance.reporting.delta_m import delta_m, delta_m_by_task, relative_changes

DIRECTIONS = {"segmentation": {"miou": 1, "accuracy": 1}, "depth": {"error": -1}}
BASELINE = {"segmentation": {"miou": 0.4, "accuracy": 0.5}, "depth": {"error": 2.0}}
VALUES = {"segmentation": {"miou": 0.5, "accuracy": 0.45}, "depth": {"error": 1.5}}


def test_both_definitions_by_hand():
    assert relative_changes(VALUES, BASELINE, DIRECTIONS) == {
        "segmentation": {"miou": pytest.approx(-25), "accuracy": pytest.approx(10)},
        "depth": {"error": pytest.approx(-25)},
    }
    assert delta_m(VALUES, BASELINE, DIRECTIONS) == pytest.approx(-40 / 3)
    assert delta_m_by_task(VALUES, BASELINE, DIRECTIONS) == pytest.approx((-7.5 - 25) / 2)


def test_the_baseline_is_at_zero():
    assert delta_m(BASELINE, BASELINE, DIRECTIONS) == delta_m_by_task(BASELINE, BASELINE, DIRECTIONS) == 0


def test_scales_of_metrics_do_not_matter():
    percent = [
        {"segmentation": {name: 100 * value for name, value in one["segmentation"].items()}, "depth": one["depth"]}
        for one in (VALUES, BASELINE)
    ]
    assert delta_m(*percent, DIRECTIONS) == pytest.approx(delta_m(VALUES, BASELINE, DIRECTIONS))


def test_metrics_without_a_direction_do_not_count():
    more = {**VALUES, "depth": {"error": 1.5, "error_batch_mean": 9.0}}
    assert delta_m(more, BASELINE, DIRECTIONS) == delta_m(VALUES, BASELINE, DIRECTIONS)


@pytest.mark.parametrize("of", [delta_m, delta_m_by_task])
def test_a_missing_metric_and_a_baseline_of_zero_are_refused(of):
    with pytest.raises(UserError, match="metric error of task depth"):
        of({"segmentation": VALUES["segmentation"]}, BASELINE, DIRECTIONS)
    with pytest.raises(UserError, match="baseline is 0"):
        of(VALUES, {**BASELINE, "depth": {"error": 0.0}}, DIRECTIONS)
