"""A claim holds where its effect was planted, and does not where the contrary was; without its rows it is untested."""

import pandas as pd
import pytest

from mtbalance.reporting.claims import LEDGER, judge
from mtbalance.reporting.claims.claim import Verdict
from mtbalance.reporting.claims.scenes import DEPTH, NORMAL, SEGMENTATION
from planted_claims import cells, cosines, evidence, market, orders, ranking, scenes, speeds, toy, trade

CLAIMS = {claim.id: claim for claim in LEDGER}
BEHIND = {"pub": -0.02}
BOTH = {"click": 0.02, "conversion": 0.02}
REVERSE = [True] * 9 + [False] * 3


def losses(click, conversion, **facts):
    """LS's log losses on AliExpress NL, unless told otherwise."""
    names = {"dataset": "aliexpress_nl", "synthetic": False, "metric": "log_loss"} | facts
    return evidence([*cells(click, task="click", **names), *cells(conversion, task="conversion", **names)])


def noisy(spread):
    """LS and PUB without a difference, and a spread over many seeds."""
    seeds = range(40)
    rows = [cells(0.7, seeds, spread, balancer=name, metric="mean_auc", task="mean") for name in ("ls", "pub")]
    return evidence([row for part in rows for row in part])


HOLDS_AND_NOT = {
    "pub-state-of-the-art": (ranking("mean_auc", {"pub": 0.02}), ranking("mean_auc", {"cagrad": 0.03, "pub": 0.02})),
    "pub-update-deviates": (cosines("cosine_shared", {}), cosines("cosine_shared", {}, base=0.6)),
    "pub-mtl-potential": (ranking("mean_auc", {"alone": -0.02}), ranking("mean_auc", {"alone": 0.02})),
    "pub-seesaw": (trade({"mgda": {"click": 0.02, "conversion": -0.02}}), trade({"mgda": BOTH})),
    "pub-beyond-gradients": (ranking("mean_auc", {"nash_update": 0.02}), ranking("mean_auc", {"nash_update": -0.02})),
    "pub-toy-reaches": (toy({"pub": 5, "famo": 1}), toy({"pub": 4, "famo": 5})),
    "pub-toy-others": (toy({"pub": 5, "famo": 4, "cagrad": 0}), toy({"pub": 5, "famo": 5, "cagrad": 0})),
    "pub-diff-and-auc": (orders(REVERSE), orders([False] * 12)),
    "pub-two-thirds-reverse": (orders(REVERSE), orders([False] * 12)),
    "pub-cosine-task-same": (cosines("cosine_task_specific", {}), cosines("cosine_task_specific", {"nashmtl": 0.03})),
    "pub-cosine-shared-lower": (
        cosines("cosine_shared", {"mgda": -0.01, "imtl_g": -0.01}),
        cosines("cosine_shared", {"mgda": -0.01, "imtl_g": 0.01}),
    ),
    "pub-cosine-shared-higher": (
        cosines("cosine_shared", {"nashmtl": 0.01}),
        cosines("cosine_shared", {"nashmtl": -0.01}),
    ),
    "pub-diff-higher": (
        cosines("cosine_shared", dict.fromkeys(("mgda", "imtl_g", "nashmtl"), -0.01)),
        cosines("cosine_shared", {"mgda": -0.01, "imtl_g": -0.01, "nashmtl": 0.01}),
    ),
    "pub-same-weights-for-moments": (ranking("mean_auc", {}), ranking("mean_auc", {"pub": -0.002})),
    "pub-moments-afterwards": (
        ranking("mean_auc", {"pub@preconditioner=delayed": 0.02}),
        ranking("mean_auc", {"pub": 0.02}),
    ),
    "pub-with-adagrad": (
        ranking("mean_auc", {"pub@optimizer.name=adagrad": 0.02}),
        ranking("mean_auc", {"pub@optimizer.name=adagrad": -0.02, "pub": 0.02}),
    ),
    "pub-with-rmsprop": (
        ranking("mean_auc", {"pub@optimizer.name=rmsprop": 0.02}),
        ranking("mean_auc", {"ls@optimizer.name=rmsprop": 0.02, "pub": 0.02}),
    ),
    "pub-cheaper-than-compared": (speeds({"pub": 0.8}), speeds({"pub": 0.8, "famo": 0.9})),
    "pub-improves-backbones": (ranking("mean_auc", {"pub": 0.02}), ranking("mean_auc", BEHIND)),
    "pub-two-of-eighty": (
        ranking("mean_auc", {"ls": 0.02}),
        ranking("mean_auc", {"cagrad": 0.02}),
    ),
    "pub-all-task-metrics": (ranking("auc", {"pub": 0.02}), ranking("auc", {"pub": 0.02, "famo": 0.03}, "click")),
    "pub-loss-ratio": (losses(0.1, 0.1 / 23), losses(0.1, 0.1 / 18)),
    "pub-scale-free-inconsistent": (
        ranking("mean_auc", {"nashmtl": 0.02, "imtl_g": -0.02}),
        ranking("mean_auc", {"nashmtl": 0.02, "imtl_g": 0.02}),
    ),
    "pub-third-decimal": (noisy(1e-4), noisy(3e-3)),
    "pub-manipulations-improve": (
        ranking("mean_auc", {"pub_clippy": 0.02, "pub_adatask": 0.02}),
        ranking("mean_auc", {"pub_clippy": -0.02, "pub_adatask": 0.02}),
    ),
    "pub-adatask-ctcvr": (
        ranking("auc", {"pub_adatask": 0.02}, "conversion"),
        ranking("auc", {"pub_adatask": -0.02}, "conversion"),
    ),
    "pub-adatask-spares-ctr": (ranking("auc", {}, "click"), ranking("auc", {"pub_adatask": -0.002}, "click")),
    "pub-clippy-ctr": (ranking("auc", {"pub_clippy": 0.02}, "click"), ranking("auc", {"pub_clippy": -0.02}, "click")),
    "pub-clippy-spares-ctcvr": (ranking("auc", {}, "conversion"), ranking("auc", {"pub_clippy": -0.002}, "conversion")),
    "pub-shorter-than-nashmtl": (speeds({"pub": 0.7}), speeds({"pub": 0.5})),
    "pub-speed-mmoe": (speeds({"pub": 0.95}), speeds({"pub": 0.7})),
    "pub-speed-ple": (speeds({"pub": 0.95, "nashmtl": 0.5}), speeds({"pub": 0.7})),
    "pub-sixteen-percent": (speeds({"pub": 0.87}), speeds({"pub": 0.8})),
    "pub-all-take-longer": (speeds({}), speeds({"famo": 1.2})),
    "pub-every-hundred": (ranking("mean_auc", {"pub": 0.02}), ranking("mean_auc", BEHIND)),
    "pub-ecpm": (market("rpm", 0.04), market("rpm", -0.04)),
    "pub-online-ctr": (market("ctr", 0.04), market("ctr", -0.04)),
    "pub-scenes-best": (scenes({"pub": 0.1}), scenes({"pub": 0.1, "famo": 0.2})),
    # Better in segmentation, worse in all else: ahead if tasks count alike, behind if metrics do.
    "pub-scenes-best-standard": (scenes({"pub": 0.1}), scenes({"pub": {"miou": 0.2, "mean_angle": -0.4}})),
    "pub-scenes-normals": (scenes({"mgda": 0.1, "famo": 0.1}), scenes({"mgda": 0.1, "famo": 0.1, "si": 0.2})),
    "pub-scenes-seesaw": (scenes({"mgda": -0.1}), scenes({"mgda": {"miou": 0.1}})),
    "pub-scenes-clippy": (
        scenes({"pub_clippy": dict.fromkeys((*SEGMENTATION, *NORMAL), 0.1) | dict.fromkeys(DEPTH, -0.1)}),
        scenes({"pub_clippy": {"miou": -0.1, "abs_error": -0.1, "rel_error": -0.1}}),
    ),
    "pub-scenes-clippy-segmentation": (
        scenes({"pub_clippy": {"miou": 0.1, "pixel_accuracy": 0.1}}),
        scenes({"pub_clippy": {"miou": 0.1, "pixel_accuracy": 0.1}, "famo": {"miou": 0.2}}),
    ),
    "pub-scenes-adatask-metrics": (
        scenes({"pub_adatask": 0.1, "famo": {"miou": 0.2, "pixel_accuracy": 0.2, "abs_error": 0.2}}),
        scenes({"pub_adatask": 0.1, "famo": dict.fromkeys((*SEGMENTATION, *DEPTH), 0.2)}),
    ),
    "pub-scenes-adatask-percent": (scenes({"pub_adatask": 0.02}), scenes({"pub_adatask": 0.005})),
    "pub-scenes-adatask-stl": (scenes({"pub_adatask": 0.1}), scenes({"pub_adatask": 0.1, "alone": {"miou": 0.2}})),
    "multibalance-negative-transfer": (
        trade({"alone": {"click": 0.02, "conversion": -0.02}}, "ne"),
        trade({"alone": {"click": 0.02, "conversion": 0.02}}, "ne"),
    ),
    "multibalance-alleviates": (ranking("ne", {"multibalance": -0.02}), ranking("ne", {"multibalance": 0.02}, "click")),
    "multibalance-ne": (ranking("ne", {"multibalance": -0.02}), ranking("ne", {"multibalance": 0.02}, "conversion")),
    "multibalance-ne-size": (ranking("ne", {"multibalance": -0.01}), ranking("ne", {"multibalance": -0.003})),
    "multibalance-qps": (speeds({"multibalance": 0.98}), speeds({"multibalance": 0.9})),
    "multibalance-more-efficient": (speeds({"multibalance": 0.9}), speeds({"multibalance": 0.9, "pcgrad": 0.95})),
    "multibalance-prior-loss": (speeds({"mgda": 0.25}), speeds({"mgda": 0.5})),
    "multibalance-no-search": (
        ranking("mean_auc", {"multibalance": 0.02}),
        ranking("mean_auc", {"multibalance": 0.02, "fixed@weights=[1.5,0.5]": 0.03}),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def of_other_rows():
    """The ledger of a metric that no claim is about."""
    return {entry.claim.id: entry for entry in judge(evidence(cells(0.7, metric="other")))}


def verdict(name, found):
    outcome = CLAIMS[name].here(found)
    return outcome and outcome.verdict


def test_every_check_has_its_planted_evidence():
    assert list(HOLDS_AND_NOT) == [claim.id for claim in LEDGER if claim.here]


@pytest.mark.parametrize("name", HOLDS_AND_NOT)
def test_a_planted_effect_holds_and_its_contrary_does_not(name):
    holds, does_not = HOLDS_AND_NOT[name]
    assert verdict(name, holds) is Verdict.HELD
    assert verdict(name, does_not) is Verdict.FAILED


@pytest.mark.parametrize("name", HOLDS_AND_NOT)
def test_without_its_rows_a_claim_is_untested_and_says_what_it_needs(name, of_other_rows):
    entry = of_other_rows[name]
    assert entry.here.verdict is Verdict.UNTESTED
    assert entry.here.evidence == f"needs {CLAIMS[name].needs}"


def test_the_loss_ratio_is_no_matter_of_a_stand_in_or_of_other_data():
    assert verdict("pub-loss-ratio", losses(0.1, 0.1 / 23, synthetic=True)) is None
    assert verdict("pub-loss-ratio", losses(0.1, 0.1 / 23, dataset="census_income")) is None


def test_one_seed_tests_nothing():
    one = evidence(
        [
            row
            for name, value in (("ls", 0.7), ("pub", 0.8))
            for row in cells(value, [0], balancer=name, metric="mean_auc")
        ]
    )
    outcome = CLAIMS["pub-improves-backbones"].here(one)
    assert outcome.verdict is Verdict.UNTESTED
    assert "fewer than two common seeds" in outcome.evidence and not outcome.power


def test_a_timing_that_straddles_its_bound_does_not_distinguish():
    assert verdict("pub-shorter-than-nashmtl", speeds({"pub": 0.605}, width=0.02)) is Verdict.OPEN


def test_names_with_settings_for_nyuv2_are_the_method():
    found = scenes({"pub": 0.1})
    frame = found.metrics.assign(balancer=found.metrics["balancer"].replace("nashmtl", "nashmtl_nyuv2"))
    outcome = CLAIMS["pub-scenes-best"].here(evidence(frame.to_dict("records")))
    assert {cell["other"] for cell in outcome.trace} >= {"nashmtl"}


def test_failed_runs_are_counted():
    rows = cells(0.7, balancer="ls", metric="mean_auc", task="mean")
    rows += cells(0.8, balancer="pub", metric="mean_auc", task="mean")
    rows[-1] |= {"status": "diverged", "value": float("nan")}
    outcome = CLAIMS["pub-improves-backbones"].here(evidence(rows))
    assert outcome.evidence.endswith("; 1 run failed") and "(n = 4," in outcome.evidence


def test_the_lift_of_each_experiment_is_traced_to_its_own_market():
    one = market("rpm", 0.04).market
    both = evidence([], market=pd.concat([one, one.assign(experiment="second", expected=one["expected"] + 0.01)]))
    outcome = CLAIMS["pub-ecpm"].here(both)
    assert [part["file"] for part in outcome.trace] == [
        f"results/metrics/market/{name}.parquet" for name in ("planted", "second")
    ]
