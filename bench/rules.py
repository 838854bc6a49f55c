"""Rules at the gradient level against TorchJD's of the same name, with a search at every step.

On the papers' MMOE, in plain torch for TorchJD. ``autojac`` builds the Jacobian of the shared parameters; ``autogram``
builds its Gram matrix, and makes one more backward pass.

    python bench/rules.py results/bench/rules.csv
"""

from __future__ import annotations

from cases import DEMO, PAPER, ours
from peers import TORCHJD, autogram, autojac
from ratios import options, ratios, write


def main() -> None:
    chosen = options(__doc__, blocks=5, steps=2)
    case = DEMO if chosen.small else PAPER
    steps = {"ls": ours(case, "ls")}
    for name in TORCHJD:
        steps[name] = ours(case, name, every=1)
        steps[f"{name}, TorchJD autojac"] = autojac(case, name)
    steps |= {
        f"{name}, TorchJD autogram": autogram(case, name) for name, (_, weighting) in TORCHJD.items() if weighting
    }
    write(ratios(steps, chosen, rows=case.rows, tasks=case.tasks), chosen.output)


if __name__ == "__main__":
    main()
