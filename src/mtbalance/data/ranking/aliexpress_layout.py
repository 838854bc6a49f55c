"""The 82 columns of AliExpress in its processed form, which the stand-in rows have too."""

from __future__ import annotations

from mtbalance.data.ranking.layout import Layout

LAYOUT = Layout(
    group="search_id",
    categorical=tuple(f"categorical_{number}" for number in range(1, 17)),
    numerical=tuple(f"numerical_{number}" for number in range(1, 64)),
    tasks={"click": "CTR", "conversion": "CTCVR"},
)
