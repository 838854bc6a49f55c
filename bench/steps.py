"""A step of the papers' MMOE against LS: our balancers, plain torch, the authors' PUB, and the machine's limits.

Models of 8 experts of 512-256 on 2,176 inputs, batches of 2,048 random (synthetic) rows, two tasks, float32 unless a
name says bfloat16, one thread; with --small, the demo's model. Searches are at every tenth step, as in the papers.

    python bench/steps.py results/bench/steps.csv
"""

from __future__ import annotations

import torch

from cases import DEMO, PAPER, ours, passes, steps_on
from peers import plain, products, released_pub, traffic
from ratios import options, ratios, write

OURS = ("nashmtl", "mgda", "mgda_ub", "multibalance", "adatask", "pub", "pub_fast")


def main() -> None:
    chosen = options(__doc__, blocks=5, steps=10)
    case = DEMO if chosen.small else PAPER
    steps = {"ls": ours(case, "ls"), "plain torch": plain(case)}
    steps |= {"matrix products": products(case), "memory traffic of Adam": traffic(case)}
    steps |= {"K backward passes": passes(case), "pub as released": released_pub(case)}
    steps |= {name: ours(case, name) for name in OURS}
    steps["LS in bfloat16"] = steps_on(case.batches(), case, "ls", case.model(), precision="bfloat16")
    steps["matrix products in bfloat16"] = products(case, torch.bfloat16)
    write(ratios(steps, chosen, rows=case.rows, tasks=case.tasks), chosen.output)


if __name__ == "__main__":
    main()
