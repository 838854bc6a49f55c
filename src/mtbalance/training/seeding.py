"""Seeds, deterministic algorithms, and the state of the random generators: a run can be repeated and resumed."""

from __future__ import annotations

import os
import random
from typing import Any

import numpy as np
import torch

from mtbalance.balancing.processes import Processes


def seed_everything(seed: int) -> np.random.Generator:
    """Seed torch, NumPy and Python, ask for deterministic algorithms, and return the generator of the data's order.

    Torch is limited to one thread. The numbers are then the same whether a run is alone or beside others. With two
    threads they are not, even with deterministic algorithms.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it CUDA refuses to be deterministic
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.allow_tf32 = False  # by default CUDA's convolutions take 10 of float32's 23 binary digits
    # A guard against bugs that costs 5 % of a step. (mypy does not see attributes that torch gives to this module.)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.set_num_threads(1)
    return np.random.default_rng(seed)


def seed_step(seed: int, step: int, among: Processes) -> None:
    """Seed torch for the step with that number, if several processes train together.

    Their dropout then differs, and nothing of the other processes needs to be saved to go on.
    """
    if among.size > 1:
        torch.manual_seed(int(np.random.SeedSequence((seed, step, among.rank)).generate_state(1)[0]))


def random_state(order: np.random.Generator, device: torch.device) -> dict[str, Any]:
    """State of the generators that training on a device draws from: torch's, and that of the data's order.

    A run on the CPU leaves a CUDA device alone, which may be another program's.
    """
    state = {"torch": torch.get_rng_state(), "order": order.bit_generator.state}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def restore_random_state(state: dict[str, Any], order: np.random.Generator, device: torch.device) -> None:
    """Take back what :func:`random_state` gave."""
    torch.set_rng_state(state["torch"])
    order.bit_generator.state = state["order"]
    if device.type == "cuda":
        torch.cuda.set_rng_state(state["cuda"], device)
