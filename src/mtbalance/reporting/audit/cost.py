"""Table V: seconds an epoch, and what the text makes of them."""

from __future__ import annotations

from collections.abc import Iterator

from mtbalance.reporting.audit.finding import Finding
from mtbalance.reporting.names import BACKBONES
from mtbalance.reporting.printed import Printed


def findings(printed: Printed) -> Iterator[Finding]:
    """For each backbone: PUB against NashMTL, PUB against the base, and the seconds of a search."""
    for backbone in printed.table5["backbone"]:
        yield faster(printed, backbone)
        yield _longer(printed, backbone)
        yield search(printed, backbone)


def _seconds(printed: Printed, backbone: str) -> tuple[float, float, float]:
    """Those of an epoch on a backbone: of the base, NashMTL and PUB."""
    row = printed.table5.set_index("backbone").loc[backbone]
    return row["base"], row["nashmtl"], row["pub"]


def faster(printed: Printed, backbone: str) -> Finding:
    """How much faster PUB is than NashMTL."""
    base, nash, pub = _seconds(printed, backbone)
    says = printed.says(f"faster_{backbone}_percent")
    percent, overheads = 100 * (nash / pub - 1), 100 * ((nash - base) / (pub - base) - 1)
    return Finding(
        f"Section VI-C, {BACKBONES[backbone]}: how much faster PUB is than NashMTL",
        f"{says} %",
        f"{percent:.1f} %",
        f"{nash} / {pub}; the overheads alone, {nash - base:.2f} / {pub - base:.2f}, give {overheads:.1f} %",
        abs(percent - says) < 0.1,
    )


def _longer(printed: Printed, backbone: str) -> Finding:
    base, _, pub = _seconds(printed, backbone)
    says, percent = printed.says("longer_percent"), 100 * (pub / base - 1)
    return Finding(
        f"Section VI-C, {BACKBONES[backbone]}: how much longer PUB takes than the base",
        f"{says:.0f} %",
        f"{percent:.1f} %",
        f"{pub} / {base}",
        int(percent) == says,
    )


def search(printed: Printed, backbone: str) -> Finding:
    """The seconds of a search."""
    base, _, pub = _seconds(printed, backbone)
    steps = printed.says("training_rows") / printed.says("batch_size")
    searches = steps / printed.says("every")
    says, seconds = printed.says(f"search_{backbone}_seconds"), (pub - base) / searches
    return Finding(
        f"Section VI-C, {BACKBONES[backbone]}: seconds of a search",
        f"{says}",
        f"{seconds:.3f}",
        f"{pub - base:.2f} s over {searches:.0f} searches ({steps:.0f} steps): all that PUB costs is booked on the "
        "searches, and nothing is left for the K backward passes of the other steps",
        abs(seconds - says) < 0.002,
    )
