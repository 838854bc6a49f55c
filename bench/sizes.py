"""The cost of a step against the number of parameters, about 10,000 to 100 million, each over LS of the same size.

MMOE of 8 experts, batches of 256 random (synthetic) rows, two tasks, one thread.

    python bench/sizes.py results/bench/sizes.csv
"""

from __future__ import annotations

import pandas as pd

from cases import Case, ours, parameters_of
from ratios import options, ratios, write

SIZES = ((4, 8), (8, 64), (32, 192), (128, 512), (128, 3072))
"""Widths of an embedding, and of an expert's first layer; its second is half as wide."""
NAMES = ("ls", "mgda", "nashmtl", "multibalance", "pub", "pub_fast")


def main() -> None:
    chosen = options(__doc__, blocks=3, steps=10)
    found = []
    for embedding, width in SIZES[:2] if chosen.small else SIZES:
        case = Case(rows=256, embedding=embedding, expert=(width, width // 2), tower=(min(width, 64),))
        steps = {name: ours(case, name) for name in NAMES}
        found.append(ratios(steps, chosen, parameters=parameters_of(case)))
    write(pd.concat(found), chosen.output)


if __name__ == "__main__":
    main()
