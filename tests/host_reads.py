"""Counts how often numbers are read from the device: `.item()` and all that calls it, lists, arrays and copies."""

from contextlib import contextmanager

import torch
from torch.utils._python_dispatch import TorchDispatchMode

READERS = ("tolist", "numpy", "cpu", "__array__")


class _Scalars(TorchDispatchMode):
    """Every operator that returns a number to Python: ``item``, ``float``, ``bool``, an index, a comparison."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func in (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.equal.default):
            self.count += 1
        return func(*args, **(kwargs or {}))


@contextmanager
def counted(monkeypatch):
    """A function that tells the number of reads so far. Numbers on the CPU are counted as if it were another device."""
    direct = [0]

    def counting(original):
        def read(self, *args, **kwargs):
            direct[0] += 1
            return original(self, *args, **kwargs)

        return read

    with monkeypatch.context() as patches, _Scalars() as scalars:
        for name in READERS:
            patches.setattr(torch.Tensor, name, counting(getattr(torch.Tensor, name)))
        yield lambda: direct[0] + scalars.count
