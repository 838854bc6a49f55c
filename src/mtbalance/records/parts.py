"""FORMAT, Part and Environment: the version of both records, the base of their parts, and the software and machine."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict

from mtbalance.described import Described

Format = Literal[4]
FORMAT: Format = 4
"""The version of both records. It grows with every change after which an older file would be misread."""


class Part(Described):
    """A part of a record: immutable, without unknown keys, and with finite numbers only."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Environment(Part):
    """The software and the machine."""

    python: str
    """Version of Python."""
    mtbalance: str
    """Version of this package."""
    torch: str
    """Version of PyTorch, with its build."""
    numpy: str
    """Version of NumPy."""
    pyarrow: str
    """Version of PyArrow."""
    device: str
    """Name of the GPU, or ``cpu``."""
    cpu: str
    """Model of the processor, as the operating system names it."""
    instruction_set: str
    """The widest vector instructions that PyTorch uses on this processor, such as ``AVX2``."""
    threads: int
    """Threads that PyTorch computes with, in each process."""
    processes: int = 1
    """Processes that trained together, each on its part of every batch."""
    deterministic: bool
    """True if PyTorch was set to use deterministic algorithms only."""
    commit: str | None
    """Git commit of the code; null outside of a checkout."""
