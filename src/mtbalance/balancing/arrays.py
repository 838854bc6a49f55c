"""Types of the small float64 arrays that rules, solvers and levels compute with, and their precision."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
"""One number per task [K]: losses, weights."""
Matrix = NDArray[np.float64]
"""One number per pair of tasks [K, K]: a Gram matrix, cosines."""

ROUNDING = float(np.finfo(np.float32).eps)
"""Relative error of inner products of float32 rows: an eigenvalue of K cosines below K times this is rounding."""
