"""PUB, section V: what the text says of the algorithm and its cost."""

from __future__ import annotations

from mtbalance.reporting.claims.by_print import printed
from mtbalance.reporting.claims.checks import better
from mtbalance.reporting.claims.claim import PUB, Claim, Outcome
from mtbalance.reporting.claims.introduction import EARLIER
from mtbalance.reporting.claims.measured import faster
from mtbalance.reporting.claims.ranking import THIRD_DECIMAL
from mtbalance.reporting.names import backbone_name
from mtbalance.reporting.printed import Printed

ADAGRAD, RMSPROP = (f"optimizer.name={name}" for name in ("adagrad", "rmsprop"))


def _below_nashmtl(numbers: Printed) -> Outcome:
    seconds = numbers.table5
    text = "; ".join(
        f"{backbone_name(row.backbone)}: {row.pub} s against {row.nashmtl} s" for row in seconds.itertuples()
    )
    return printed("pub_table5", bool((seconds["pub"] < seconds["nashmtl"]).all()), f"{text}; no other method is timed")


CLAIMS = (
    Claim(
        "pub-same-weights-for-moments",
        PUB,
        "V-A",
        "it does not appear to have a negative impact",
        f"With moments of the step's weights, mean AUC is at most {THIRD_DECIMAL} below that with weights of one",
        "an experiment with pub and pub@moment_weights=ones, two seeds or more",
        better(["pub"], ["pub@moment_weights=ones"], "mean_auc", by=-THIRD_DECIMAL),
    ),
    Claim(
        "pub-moments-afterwards",
        PUB,
        "V-A",
        "PUB updates the moment vectors after updating parameters … more stable",
        "A divisor that has not seen the update's own gradient gives a higher mean AUC than one that has",
        "an experiment with pub and pub@preconditioner=delayed (preset dissect), two seeds or more",
        better(["pub@preconditioner=delayed"], ["pub"], "mean_auc"),
    ),
    Claim(
        "pub-with-adagrad",
        PUB,
        "V-A",
        "PUB can be integrated with different optimizers and UMMs easily",
        "PUB with AdaGrad has a higher mean AUC than LS with AdaGrad",
        f"an experiment with pub@{ADAGRAD} and ls@{ADAGRAD}, two seeds or more",
        better([f"pub@{ADAGRAD}"], [f"ls@{ADAGRAD}"], "mean_auc"),
    ),
    Claim(
        "pub-with-rmsprop",
        PUB,
        "V-A",
        "PUB can be integrated with different optimizers and UMMs easily",
        "PUB with RMSProp has a higher mean AUC than LS with RMSProp",
        f"an experiment with pub@{RMSPROP} and ls@{RMSPROP}, two seeds or more",
        better([f"pub@{RMSPROP}"], [f"ls@{RMSPROP}"], "mean_auc"),
    ),
    Claim(
        "pub-cheaper-than-compared",
        PUB,
        "V-C",
        "the total training time cost is lower than the compared methods",
        "PUB's steps are faster than those of every earlier method",
        "an experiment that times PUB and earlier methods",
        faster("pub", EARLIER),
        _below_nashmtl,
    ),
)
