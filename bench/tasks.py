"""The cost of a step against the number of tasks, K = 2 to 32, each over LS with the same tasks.

MMOE of 8 experts of 64-32 on 272 inputs, batches of 512 random (synthetic) rows, one thread.

    python bench/tasks.py results/bench/tasks.csv
"""

from __future__ import annotations

import pandas as pd

from cases import Case, ours
from ratios import options, ratios, write

COUNTS = (2, 4, 8, 16, 32)
NAMES = ("ls", "mgda", "nashmtl", "multibalance", "pub", "pub_fast")


def main() -> None:
    chosen = options(__doc__, blocks=5, steps=10)
    found = []
    for count in COUNTS[:2] if chosen.small else COUNTS:
        case = Case(tasks=count, rows=512, embedding=16, expert=(64, 32), tower=(32,))
        found.append(ratios({name: ours(case, name) for name in NAMES}, chosen, tasks=count))
    write(pd.concat(found), chosen.output)


if __name__ == "__main__":
    main()
