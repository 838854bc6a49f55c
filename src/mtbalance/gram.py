"""K rows that are spread over many tensors: their Gram matrix, and combinations of them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@torch.no_grad()
def gram_matrix(rows: Iterable[Tensor]) -> NDArray[np.float64]:
    """G [K, K] of K rows given as tensors [K, *shape], summed tensor by tensor in float64: no flattened copy of all."""
    total = sum((matrix @ matrix.T).double() for matrix in (tensor.flatten(1) for tensor in rows))
    return total.cpu().numpy()


def describe(gram: NDArray[np.float64], weights: NDArray[np.float64]) -> dict[str, float]:
    """Geometry of a search: cosines between rows (mean and smallest), norm of the joint row, sum of weights."""
    norms = np.sqrt(gram.diagonal())
    upper = np.triu_indices(len(gram), 1)
    sizes = np.outer(norms, norms)[upper]
    cosines = gram[upper][sizes > 0] / sizes[sizes > 0]
    report = {
        "joint_norm": float(np.sqrt(max(weights @ gram @ weights, 0.0))),
        "weight_sum": float(weights.sum()),
    }
    if len(cosines):
        report |= {"cosine": float(cosines.mean()), "smallest_cosine": float(cosines.min())}
    return report


def combine(rows: Tensor, weights: NDArray[np.float64]) -> Tensor:
    """sum_k w_k row_k [*shape] for rows [K, *shape]."""
    vector = torch.as_tensor(weights, dtype=rows.dtype, device=rows.device)
    return (vector @ rows.flatten(1)).view(rows.shape[1:])
