"""Ratios of training steps: all kinds take turns in one process, so that a slower machine slows all of them."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from cases import CPU, Step
from mtbalance.training.environment import environment
from mtbalance.training.memory import keep_freed_memory
from mtbalance.training.seeding import seed_everything
from mtbalance.training.speed import seconds_in_turn
from mtbalance.writing import replacing


def options(description: str, blocks: int, steps: int) -> argparse.Namespace:
    """The command line of a benchmark: where its CSV goes, and how long it measures."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="the CSV")
    parser.add_argument("--blocks", type=int, default=blocks, help="turns of each kind of step, after one to warm up")
    parser.add_argument("--steps", type=int, default=steps, help="steps of a turn; a multiple of 10 has whole periods")
    parser.add_argument("--small", action="store_true", help="on a tiny model, to see that the script works")
    keep_freed_memory()
    seed_everything(0)  # one thread, deterministic
    return parser.parse_args()


def ratios(steps_of: Mapping[str, Step], chosen: argparse.Namespace, **facts: Any) -> pd.DataFrame:
    """Each kind's seconds a step, and its ratio to the first kind: medians and quartiles over blocks."""
    seconds = seconds_in_turn(list(steps_of.values()), chosen.blocks, chosen.steps, CPU)
    return summarized(steps_of, seconds, seconds / seconds[:, :1], **facts)


def summarized(names: Iterable[str], seconds: NDArray[Any], relative: NDArray[Any], **facts: Any) -> pd.DataFrame:
    """A row for each kind of step: medians and quartiles over blocks of ``seconds`` and ratios [blocks, kinds]."""
    low, ratio, high = np.quantile(relative, [0.25, 0.5, 0.75], axis=0)
    made = {"step": list(names), "seconds": np.median(seconds, axis=0), "ratio": ratio, "low": low, "high": high}
    found = pd.DataFrame(facts | made)
    print(found.to_string(index=False, float_format=lambda value: f"{value:.4g}"), flush=True)
    return found


def write(frame: pd.DataFrame, output: Path, device: torch.device = CPU) -> None:
    """Write a benchmark's rows, each with the machine that it was measured on."""
    machine = environment(device)
    facts = {
        name: getattr(machine, name) for name in ("device", "cpu", "instruction_set", "threads", "torch", "commit")
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    with replacing(output) as partial:
        frame.assign(**facts).to_csv(partial, index=False)
