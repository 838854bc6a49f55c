"""PUB, section I: the toy experiment."""

from __future__ import annotations

from mtbalance.reporting.claims.claim import PUB, Claim
from mtbalance.reporting.claims.measured import reaches

NEEDS = "the toy problem's trajectories (make toy; about five minutes)"
SHOWN = ("cagrad", "imtl_g", "nashmtl", "famo")
"""The other methods of the paper's figure."""

CLAIMS = (
    Claim(
        "pub-toy-reaches",
        PUB,
        "I, toy figure",
        "we conducted a toy experiment with Adam",
        "The figure: PUB reaches the balanced optimum from all five starts",
        NEEDS,
        reaches(["pub"], all_starts=True),
    ),
    Claim(
        "pub-toy-others",
        PUB,
        "I, toy figure",
        "the differences between PUB and several state-of-the-art … methods",
        "The figure: CAGrad, IMTL-G, NashMTL and FAMO do not reach it from all of them",
        NEEDS,
        reaches(SHOWN, all_starts=False),
    ),
)
