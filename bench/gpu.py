"""What a GPU does, in at most eight minutes: agreement with the CPU, an epoch of AliExpress ES, a step of MTAN.

All rows and images are random (synthetic). An epoch is measured over some steps and multiplied; its rows reside on the
device and are gathered there in random order, as a run does it. Each line is printed, and written, when it is known.

    python bench/gpu.py results/bench/gpu.csv
    python bench/gpu.py gpu.csv --small     # tiny, on the CPU where there is no GPU: does the script work?
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from cases import DEMO, PAPER, PARAMETERS, Case, Step, steps_on
from mtbalance.balancing.balancer import assemble
from mtbalance.config.training import TrainingConfig
from mtbalance.data.batch import Batch
from mtbalance.data.ranking.resident import ResidentRows
from mtbalance.models.backbone import Backbone
from mtbalance.models.ranking.mmoe import MMoE
from mtbalance.models.ranking.ple import PLE
from mtbalance.training.clock import now
from mtbalance.training.seeding import seed_everything
from mtbalance.training.step import train_step
from ratios import write

ES_ROWS = 22_326_719
"""Training rows of AliExpress ES; the PUB paper prints the seconds of an epoch (Table V)."""
BATCH = 4096
BACKBONES: dict[str, Callable[[Case], Backbone]] = {
    "mmoe": lambda case: MMoE(case.shape(), case.sizes(), experts=case.experts),
    "ple": lambda case: PLE(case.shape(), case.sizes()),
}
EPOCHS = ("ls", "nashmtl", "multibalance", "pub", "pub_fast", "pub_adatask")
AGREEMENT_STEPS = 20


class Report:
    """The lines so far, in a file."""

    def __init__(self, output: Path, device: torch.device) -> None:
        self.output, self.device, self.lines, self.began = output, device, [], time.perf_counter()

    def add(self, part: str, case: str, value: float, unit: str) -> None:
        """A line; the file is written anew."""
        self.lines.append({"part": part, "case": case, "value": value, "unit": unit})
        print(f"{time.perf_counter() - self.began:6.1f} s  {part}: {case}: {value:.4g} {unit}", flush=True)
        write(pd.DataFrame(self.lines), self.output, self.device)


def agreement(report: Report, device: torch.device) -> None:
    """The largest difference of a parameter after 20 steps on both devices, over the largest parameter."""
    for name in PARAMETERS.balancers:
        ends = []
        for place in (torch.device("cpu"), device):
            seed_everything(0)
            model, batch = DEMO.model(), DEMO.batch()
            step = steps_on(repeat(batch), DEMO, name, model, place)
            for _ in range(AGREEMENT_STEPS):
                step()
            ends.append(torch.cat([parameter.detach().cpu().double().flatten() for parameter in model.parameters()]))
        difference = float((ends[0] - ends[1]).abs().max() / ends[0].abs().max())
        report.add("agreement with the CPU", name, difference, f"relative, after {AGREEMENT_STEPS} steps")


def resident(case: Case, rows: int, device: torch.device) -> Any:
    """Endless batches of random rows that reside on the device."""
    generator = np.random.default_rng(0)
    like = [
        np.zeros((1, 16), np.int32),
        np.zeros((1, case.numbers), np.float32),
        *[np.zeros(1, np.float32)] * case.tasks,
    ]
    kept = ResidentRows(like, rows, device)
    kept._columns[0].random_(0, case.values)
    for column in kept._columns[1:]:
        column.uniform_()
    for column in kept._columns[2:]:
        column.lt_(0.1)
    while True:
        for ids, numbers, *labels in kept.batches(generator.permutation(rows), case.rows):
            yield Batch((ids, numbers), tuple(labels))


def epochs(report: Report, device: torch.device, small: bool) -> None:
    """Seconds of an epoch, and the reads of the host that a step waits for."""
    case = (DEMO if small else PAPER)._replace(rows=64 if small else BATCH)
    rows, warm, count = (2000, 2, 4) if small else (ES_ROWS, 20, 100)
    batches = resident(case, rows, device)
    for backbone, make in BACKBONES.items():
        for precision in ("float32", "tf32", "bfloat16"):
            torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
            for name in EPOCHS:
                torch.manual_seed(0)
                kind = "bfloat16" if precision == "bfloat16" else "float32"
                step = steps_on(batches, case, name, make(case), device, kind)
                for _ in range(warm):
                    step()
                began = now(device)
                for _ in range(count):
                    step()
                seconds = (now(device) - began) / count * -(-rows // case.rows)
                report.add("epoch", f"{backbone}, {name}, {precision}", seconds, "seconds")
    torch.backends.cuda.matmul.allow_tf32 = False
    if device.type == "cuda":
        for name in EPOCHS:
            step = steps_on(batches, case, name, case.model(), device)
            step()
            report.add("waits for the device", name, host_reads(step) / 10, "a step")


def host_reads(step: Step) -> int:
    """How often ten steps make the host wait for the device."""
    torch.cuda.set_sync_debug_mode("warn")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for _ in range(10):
            step()
    torch.cuda.set_sync_debug_mode("default")
    return sum("synchroniz" in str(warning.message) for warning in said)


def scenes(report: Report, device: torch.device, small: bool) -> None:
    """Milliseconds of a step of MTAN on 4 images of 288 x 384."""
    from scenes import SIZES, TASKS, network, random_batch

    setting = SIZES["small" if small else "paper"]
    for name in ("ls", "pub", "multibalance"):
        model, batch = network(setting).to(device), random_batch(setting).to(device)
        options = PARAMETERS.run("demo", "synthetic_nl", "mmoe", name, 0)
        level = assemble(options.balancer.options, options.training.optimizer, model.parameters(), len(TASKS), 0)
        for precision in ("float32", "bfloat16"):
            training = TrainingConfig(epochs=1, precision=precision)
            for _ in range(2):
                train_step(model, TASKS, level, batch, device, training)
            began, count = now(device), 2 if small else 20
            for _ in range(count):
                train_step(model, TASKS, level, batch, device, training)
            report.add("MTAN", f"{name}, {precision}", 1000 * (now(device) - began) / count, "milliseconds a step")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="the CSV")
    parser.add_argument("--small", action="store_true", help="tiny, to see that the script works")
    chosen = parser.parse_args()
    if not chosen.small and not torch.cuda.is_available():
        parser.error("there is no CUDA device here; --small tries the script on the CPU")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    report = Report(chosen.output, device)
    agreement(report, device)
    epochs(report, device, chosen.small)
    scenes(report, device, chosen.small)


if __name__ == "__main__":
    main()
