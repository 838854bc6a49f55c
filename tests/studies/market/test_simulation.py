"""The A/B tests of a whole market: what adds up, what repeats, and that a planted better model is found."""

import pandas as pd
import pytest

from market_data import candidates, wrong
from mtbalance.errors import UserError
from mtbalance.studies.market.simulation import Model, Settings, simulate

SETTINGS = Settings(days=4, each=60, trials=10, trial_days=5, trial_each=5)
COUNTS = ["impressions", "clicks", "conversions", "revenue"]


def models(true):
    """LS twice, PUB twice and MGDA once; PUB is better than the others."""
    found = {Model("mmoe", "ls", seed): wrong(true, 0.6, seed) for seed in (0, 1)}
    found |= {Model("mmoe", "pub", seed): wrong(true, 0.2, 10 + seed) for seed in (0, 1)}
    return found | {Model("mmoe", "mgda", 0): wrong(true, 0.7, 20)}


@pytest.fixture(scope="module")
def market() -> pd.DataFrame:
    true = candidates()
    return simulate("synthetic_a", true, models(true), "ls", SETTINGS)


def rows(frame, **chosen):
    for column, value in chosen.items():
        frame = frame[frame[column] == value]
    return frame


def test_every_test_has_its_rows(market):
    exact = rows(market, part="expected", metric="rpm")
    assert list(zip(exact["balancer"], exact["seed"], exact["control_seed"], exact["kind"], strict=True)) == [
        *(("pub", 0, 0, "method"), ("pub", 1, 1, "method"), ("mgda", 0, 0, "method"), ("ls", 1, 0, "retrained")),
        *(("truth", 0, 0, "truth"), ("truth", 1, 1, "truth")),
    ]
    tested = rows(market, part="lift").groupby("balancer").size()
    assert tested.to_dict() == dict.fromkeys(("ls", "mgda", "pub", "truth"), 2 * 2 * 3 * 4)
    assert not market.drop(columns=["low", "high"]).isin([float("inf")]).any(axis=None)


def test_impressions_add_up(market):
    """Everybody is in one of two halves; clicks are impressions, conversions are clicks; about one visit a day."""
    arms = rows(market, part="arm", share=0.5)
    visitors = arms.groupby(["balancer", "day"])["visitors"].sum()
    assert (visitors == 300 * 60).all()
    assert (arms["conversions"] <= arms["clicks"]).all() and (arms["clicks"] <= arms["impressions"]).all()
    assert arms["impressions"].sum() / arms["visitors"].sum() == pytest.approx(1, abs=0.01)
    small = rows(market, part="arm", share=0.05).set_index(["balancer", "arm", "day"])[COUNTS]
    assert (small < arms.set_index(["balancer", "arm", "day"])[COUNTS]).all(axis=None)


def test_a_lift_is_the_ratio_of_what_the_arms_earned(market):
    arms = rows(market, part="arm", share=0.2, balancer="pub").pivot(index="day", columns="arm", values=COUNTS)
    rpm = arms["revenue"] / arms["impressions"]
    lifts = rows(market, part="lift", share=0.2, balancer="pub", metric="rpm").set_index("day")
    by_day, to_date = (lifts[lifts["span"] == span]["lift"] for span in ("day", "to date"))
    assert by_day.tolist() == pytest.approx((rpm["treatment"] / rpm["control"] - 1).tolist())
    total = arms["revenue"].cumsum() / arms["impressions"].cumsum()
    assert to_date.tolist() == pytest.approx((total["treatment"] / total["control"] - 1).tolist())


def test_a_planted_better_model_is_found_and_the_truth_is_best(market):
    exact = rows(market, part="expected", metric="rpm", seed=0).set_index("balancer")["expected"]
    assert exact["truth"] > exact["pub"] > 0.03 > exact["mgda"]
    total = rows(market, part="lift", span="to date", metric="rpm", share=0.5, day=4).set_index("balancer")
    assert total.loc["pub", "low"] > 0
    assert total.loc["truth", "sequential_low"] > 0
    for name in ("pub", "truth"):
        assert total.loc[name, "sequential_low"] < exact[name] < total.loc[name, "sequential_high"]


def test_the_same_market_twice_and_one_more_method_changes_no_other(market):
    true = candidates()
    fewer = {model: values for model, values in models(true).items() if model.balancer != "mgda"}
    again = simulate("synthetic_a", true, fewer, "ls", SETTINGS)
    kept = market[market["balancer"] != "mgda"].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, again, check_exact=True)


def test_a_market_without_a_comparison_is_refused():
    true = candidates()
    with pytest.raises(UserError, match="needs ls and another balancer on one backbone; synthetic_a has none"):
        simulate("synthetic_a", true, {Model("mmoe", "ls", 0): true.conversion}, "ls", SETTINGS)
