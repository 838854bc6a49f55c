"""What a run was made with: versions, device, threads, commit, memory."""

from __future__ import annotations

import platform
import resource
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

PACKAGES = ("mtbalance", "torch", "numpy", "pyarrow")


def environment(device: torch.device) -> dict[str, Any]:
    """Versions of Python and of the packages that numbers depend on, device, threads, and the code's commit."""
    return {
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "threads": torch.get_num_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "commit": _commit(),
    }


def peak_memory(device: torch.device) -> float:
    """Peak memory of this process in MB (2^20 bytes): resident, or of the CUDA device."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def _commit() -> str | None:
    """The commit of the checkout that this code runs from; None outside of one."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
