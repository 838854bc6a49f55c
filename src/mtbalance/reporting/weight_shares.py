"""Shares of the tasks in the weights of balancers that change them."""

from __future__ import annotations

import pandas as pd

from mtbalance.reporting.value import METHOD, RUN


def moving_shares(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame's weights by epoch, with ``share``: a weight over the sum of the run's weights in that epoch.

    Balancers whose shares are constant are left out: these are no result.
    """
    weights = frame[frame["metric"] == "weight"]
    shares = weights.assign(share=weights["value"] / weights.groupby([*RUN, "epoch"])["value"].transform("sum"))
    spread = shares.groupby([*METHOD, "task"])["share"].transform(lambda share: share.max() - share.min())
    moving = spread.groupby([shares[name] for name in METHOD]).transform("max") > 1e-9
    return shares[moving]
