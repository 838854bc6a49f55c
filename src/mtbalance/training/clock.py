"""now: the clock that training steps are timed with."""

from __future__ import annotations

import time

import torch


def now(device: torch.device) -> float:
    """Seconds on a clock that other programs do not move.

    On a CPU, where training computes in one thread, it is the processor's time of this process. On a CUDA device it is
    the wall clock, once the device has done all that it was given.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        return time.perf_counter()
    return time.process_time()
