"""Table V: seconds an epoch, and what the text makes of them."""

from __future__ import annotations

from collections.abc import Iterator

from mtbalance.reporting.audit.finding import Finding
from mtbalance.reporting.names import BACKBONES
from mtbalance.reporting.printed import Printed


def findings(printed: Printed) -> Iterator[Finding]:
    """For each backbone: PUB against NashMTL, PUB against the base, and the seconds of a search."""
    steps = printed.says("training_rows") / printed.says("batch_size")
    searches = steps / printed.says("every")
    for _, row in printed.table5.iterrows():
        name, backbone = BACKBONES[row["backbone"]], row["backbone"]
        base, nash, pub = row["base"], row["nashmtl"], row["pub"]
        says = printed.says(f"faster_{backbone}_percent")
        faster, overheads = 100 * (nash / pub - 1), 100 * ((nash - base) / (pub - base) - 1)
        yield Finding(
            f"Section VI-C, {name}: how much faster PUB is than NashMTL",
            f"{says} %",
            f"{faster:.1f} %",
            f"{nash} / {pub}; the overheads alone, {nash - base:.2f} / {pub - base:.2f}, give {overheads:.1f} %",
            abs(faster - says) < 0.1,
        )
        longer = 100 * (pub / base - 1)
        yield Finding(
            f"Section VI-C, {name}: how much longer PUB takes than the base",
            f"{printed.says('longer_percent'):.0f} %",
            f"{longer:.1f} %",
            f"{pub} / {base}",
            int(longer) == printed.says("longer_percent"),
        )
        says, search = printed.says(f"search_{backbone}_seconds"), (pub - base) / searches
        yield Finding(
            f"Section VI-C, {name}: seconds of a search",
            f"{says}",
            f"{search:.3f}",
            f"{pub - base:.2f} s over {searches:.0f} searches ({steps:.0f} steps): all that PUB costs is booked on the "
            "searches, and nothing is left for the K backward passes of the other steps",
            abs(search - says) < 0.002,
        )
