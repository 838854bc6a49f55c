"""The software and the machine of a run: versions, device, processor, threads, commit, memory."""

from __future__ import annotations

import platform
import resource
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import torch

from mtbalance.balancing.processes import processes
from mtbalance.records.parts import Environment

CPU_FACTS = Path("/proc/cpuinfo")


def environment(device: torch.device) -> Environment:
    """The versions that numbers depend on, the device, the processor, and the code's commit."""
    return Environment(
        python=platform.python_version(),
        mtbalance=version("mtbalance"),
        torch=version("torch"),
        numpy=version("numpy"),
        pyarrow=version("pyarrow"),
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        cpu=processor(),
        instruction_set=torch.backends.cpu.get_cpu_capability(),
        threads=torch.get_num_threads(),
        processes=processes().size,
        deterministic=torch.are_deterministic_algorithms_enabled(),
        commit=commit(),
    )


def processor() -> str:
    """The processor's model, or its architecture if the system does not name the model."""
    lines = CPU_FACTS.read_text().splitlines() if CPU_FACTS.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def peak_memory(device: torch.device) -> float:
    """Peak memory in MB (2^20 bytes): of the CUDA device, or the resident memory of this process.

    Resident memory has the rows that a process maps from a file (:mod:`mtbalance.data.ranking.decoded`), though the
    processes of a machine share them.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    unit = 1 if sys.platform == "darwin" else 2**10  # macOS counts bytes, and Linux KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def commit() -> str | None:
    """The commit of the checkout that this code runs from; None outside of one."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
